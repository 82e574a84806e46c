-- The day's postings become ledger lines, two for each.

delete from ledger;

insert into ledger (posting_id, voucher, gl, account_id, currency, amount, eur)
select posting_id, voucher, gl, account_id, currency, amount, eur
from posting_line
order by posting_id, amount desc;

-- expect: none
select p.id, p.voucher, count(l.id) as lines
from posting p
left join ledger l on l.posting_id = p.id
group by p.id
having count(l.id) <> 2;

-- The proof. It reads the ledger and the source documents, never the postings between them.

-- Something was posted at all.
-- expect: rows
select 1 where (select count(*) from ledger) > 0;

-- Debits and credits are equal: in each currency,
-- expect: none
select currency, sum(amount) as difference from ledger group by currency having sum(amount) <> 0;

-- in euro,
-- expect: none
select difference from (select sum(eur) as difference from ledger) where difference <> 0;

-- and in each voucher.
-- expect: none
select voucher, currency, sum(amount) as difference, sum(eur) as difference_eur
from ledger
group by voucher, currency
having sum(amount) <> 0 or sum(eur) <> 0;

-- Sub-ledger and general ledger agree: each account's balance is what its documents say.
-- expect: none
with documents (account_id, amount) as (
  select id, opening from account
  union all
  select account_id, case direction when 'in' then amount else -amount end from payment
  union all
  select i.account_id, i.posted from accrual i
  where exists (select 1 from ledger l where l.voucher = 'CAP-' || i.account_id)
  union all
  select a.settlement_id, -f.fee
  from custody_fee f
  join account a on a.id = f.account_id
  join business_day d on f.month = substr(d.day, 1, 7))
select b.account_id, b.closing as in_ledger, sum(s.amount) as in_documents
from account_balance b
join documents s on s.account_id = b.account_id
group by b.account_id
having sum(s.amount) <> b.closing;

-- Customers' deposits and loans in the general ledger are the sum of the accounts.
-- expect: none
select g.currency, g.total, a.total as accounts
from (select currency, -sum(amount) as total from ledger where gl in (1500, 2000) group by currency) g
left join (select currency, sum(closing) as total from account_balance group by currency) a on a.currency = g.currency
where a.total is null or a.total <> g.total;

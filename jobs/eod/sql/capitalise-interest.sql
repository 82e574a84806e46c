-- The month's accrued interest becomes the customer's: credited to deposits, added to loans.

delete from posting where source = 'capitalisation';

insert into posting (voucher, source, rate_day, debit_gl, debit_account, credit_gl, credit_account, currency, amount)
with due (account_id, amount) as (select account_id, sum(posted) from accrual group by account_id)
select 'CAP-' || a.id, 'capitalisation', d.day, 2900, a.id, 2000, a.id, a.currency, due.amount
from due join account a on a.id = due.account_id, business_day d where due.amount > 0
union all
select 'CAP-' || a.id, 'capitalisation', d.day, 1500, a.id, 1900, a.id, a.currency, -due.amount
from due join account a on a.id = due.account_id, business_day d where due.amount < 0;

-- Nothing accrued is left over.
-- expect: none
select account_id, sum(amount)
from posting_line
where gl in (1900, 2900)
group by account_id
having sum(amount) <> 0;

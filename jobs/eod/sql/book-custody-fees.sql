-- Fees leave the settlement account for income.

delete from posting where source = 'custody-fees';

insert into posting (voucher, source, rate_day, debit_gl, debit_account, credit_gl, credit_account, currency, amount)
select 'FEE-' || f.account_id, 'custody-fees', d.day, 2000, a.settlement_id, 4100, null, 'EUR', f.fee
from custody_fee f
join account a on a.id = f.account_id
join business_day d on f.month = substr(d.day, 1, 7);

-- Settled in euro, from a current account of the same customer.
-- expect: none
select f.account_id, s.id
from custody_fee f
join account a on a.id = f.account_id
left join account s on s.id = a.settlement_id
where s.id is null or s.currency <> 'EUR' or s.kind <> 'current' or s.customer_id <> a.customer_id;

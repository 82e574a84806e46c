-- Customer against correspondent bank, at today's rate.

delete from posting where source = 'payments';

insert into posting (voucher, source, rate_day, debit_gl, debit_account, credit_gl, credit_account, currency, amount)
select 'PAY-' || p.id, 'payments', d.day, 1000, null, 2000, p.account_id, p.currency, p.amount
from payment p, business_day d where p.direction = 'in'
union all
select 'PAY-' || p.id, 'payments', d.day, 2000, p.account_id, 1000, null, p.currency, p.amount
from payment p, business_day d where p.direction = 'out';

-- Every payment is booked once.
-- expect: none
select p.id, count(b.id) as bookings
from payment p
left join posting b on b.voucher = 'PAY-' || p.id
group by p.id
having count(b.id) <> 1;

-- Nothing of the payment file is booked before all of it stands these questions.

-- The trailer's count and sum (minor units of all currencies added up, a checksum and no amount of money).
-- expect: rows
select 1 where (select count(*) from payment) = (select value from control_total where name = 'payments in file')
  and (select sum(amount) from payment) = (select value from control_total where name = 'payment hash total');

-- Unknown account, wrong currency, an account that takes no payments, a direction or an amount that cannot be.
-- expect: none
select p.id, p.account_id, p.direction, p.currency, p.amount
from payment p
left join account a on a.id = p.account_id
where a.id is null or a.kind <> 'current' or a.currency <> p.currency
  or p.direction not in ('in', 'out') or p.amount <= 0;

-- No account is overdrawn by the day's payments.
-- expect: none
select a.id, a.opening, sum(case p.direction when 'out' then p.amount else -p.amount end) as net_out
from payment p
join account a on a.id = p.account_id
group by a.id
having a.opening < net_out;

-- Interest on tonight's balance for the nights until the next business day: balance x rate x nights / basis, kept in
-- millionths of a minor unit. What is posted is the whole minor units by which the month's rounded total grows, so
-- that no cent is lost or made by rounding night after night.

delete from accrual where part = 'night';
delete from posting where source = 'interest';

insert into accrual (account_id, part, nights, micro, posted)
with
  balances (account_id, balance) as (
    select account_id, -sum(amount) from posting_line
    where source in ('opening', 'payments') and gl in (1500, 2000)
    group by account_id),
  nights (n) as (select cast(julianday(next_day) - julianday(day) as integer) from business_day),
  raw (account_id, n, numerator, basis) as (
    select a.id, nights.n, b.balance * p.interest_bp * nights.n * 100, c.day_basis
    from balances b
    join account a on a.id = b.account_id
    join product p on p.kind = a.kind and p.currency = a.currency
    join currency c on c.code = a.currency
    cross join nights
    where p.interest_bp > 0),
  rounded (account_id, n, micro) as (
    select account_id, n, (2 * abs(numerator) + basis) / (2 * basis) * sign(numerator) from raw),
  total (account_id, n, micro, before, so_far) as (
    select r.account_id, r.n, r.micro, coalesce(f.posted, 0), coalesce(f.micro, 0) + r.micro
    from rounded r
    left join accrual f on f.account_id = r.account_id and f.part = 'brought forward')
select account_id, 'night', n, micro, (2 * abs(so_far) + 1000000) / 2000000 * sign(so_far) - before from total;

insert into posting (voucher, source, rate_day, debit_gl, debit_account, credit_gl, credit_account, currency, amount)
select 'INT-' || a.id, 'interest', d.day, 5000, null, 2900, a.id, a.currency, i.posted
from accrual i join account a on a.id = i.account_id, business_day d where i.part = 'night' and i.posted > 0
union all
select 'INT-' || a.id, 'interest', d.day, 1900, a.id, 4000, null, a.currency, -i.posted
from accrual i join account a on a.id = i.account_id, business_day d where i.part = 'night' and i.posted < 0;

-- Loans cost, everything else earns.
-- expect: none
select i.account_id, a.kind, i.posted
from accrual i
join account a on a.id = i.account_id
where (a.kind = 'loan' and i.posted > 0) or (a.kind <> 'loan' and i.posted < 0);

-- The nights are those from today to the next business day.
-- expect: none
select i.account_id, i.nights, d.day, d.next_day
from accrual i, business_day d
where i.part = 'night' and date(d.day, '+' || i.nights || ' days') <> d.next_day;

-- Customers, accounts and the balances of the evening before, by the rule that README.md states. Nothing is random.

insert into customer (id, name)
with recursive n (c) as (select 1 union all select c + 1 from n where c < 120)
select c, printf('Customer %03d', c) from n;

-- Three accounts a customer: current in euro, current in a foreign currency, and one more by the customer's number.
insert into account (id, customer_id, kind, currency, opening, settlement_id, securities_value, tier)
with recursive
  n (k) as (select 1 union all select k + 1 from n where k < 360),
  slot (k, c, s, base) as (select k, (k - 1) / 3 + 1, (k - 1) % 3, 500000 + (k * 7919 % 100003) * 101 from n),
  kinds (k, c, s, base, kind) as (
    select k, c, s, base,
      case when s < 2 then 'current' when c % 4 = 0 then 'loan' when c % 4 = 1 then 'custody' else 'savings' end
    from slot)
select 10000 + k, c, kind,
  case
    when s = 1 then
      case c % 7 when 0 then 'USD' when 1 then 'GBP' when 2 then 'CHF' when 3 then 'JPY' when 4 then 'HKD' when 5 then 'SGD'
        else 'CNY' end
    when s = 2 and c % 4 = 3 then 'USD'
    else 'EUR'
  end,
  case kind when 'loan' then -5 * base when 'savings' then 2 * base when 'custody' then 0 else base end,
  case kind when 'custody' then 10000 + (c - 1) * 3 + 1 end,
  case kind when 'custody' then 50 * base end,
  case kind when 'custody' then case c / 4 % 3 when 0 then 'a' when 1 then 'b' else 'c' end end
from kinds
order by k;

-- Opening balances, at the rates of the day before, against the balances that the bank holds with its correspondents.
insert into posting (voucher, source, rate_day, debit_gl, debit_account, credit_gl, credit_account, currency, amount)
select 'OPEN-' || a.id, 'opening', d.previous_day, 1000, null, 2000, a.id, a.currency, a.opening
from account a, business_day d where a.opening > 0
union all
select 'OPEN-' || a.id, 'opening', d.previous_day, 1500, a.id, 1000, null, a.currency, -a.opening
from account a, business_day d where a.opening < 0;

-- Interest that the month has accrued so far: the opening balance over the nights from the first of the month to today.
insert into accrual (account_id, part, nights, micro, posted)
with
  nights (n) as (select cast(julianday(day) - julianday(substr(day, 1, 8) || '01') as integer) from business_day),
  raw (account_id, n, numerator, basis) as (
    select a.id, nights.n, a.opening * p.interest_bp * nights.n * 100, c.day_basis
    from account a
    join product p on p.kind = a.kind and p.currency = a.currency
    join currency c on c.code = a.currency
    cross join nights
    where p.interest_bp > 0),
  rounded (account_id, n, micro) as (
    select account_id, n, (2 * abs(numerator) + basis) / (2 * basis) * sign(numerator) from raw)
select account_id, 'brought forward', n, micro, (2 * abs(micro) + 1000000) / 2000000 * sign(micro) from rounded;

insert into posting (voucher, source, rate_day, debit_gl, debit_account, credit_gl, credit_account, currency, amount)
select 'BFI-' || a.id, 'opening', d.previous_day, 3000, null, 2900, a.id, a.currency, i.posted
from accrual i join account a on a.id = i.account_id, business_day d where i.posted > 0
union all
select 'BFI-' || a.id, 'opening', d.previous_day, 1900, a.id, 3000, null, a.currency, -i.posted
from accrual i join account a on a.id = i.account_id, business_day d where i.posted < 0;

-- 120 customers, 360 accounts, 30 of them custody accounts.
-- expect: rows
select 1 where (select count(*) from customer) = 120
  and (select count(*) from account) = 360
  and (select count(*) from account where kind = 'custody') = 30;

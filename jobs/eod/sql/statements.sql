-- One line a customer account: where it began, what moved it, where it ends.

delete from statement;

insert into statement (account_id, currency, opening, paid_in, paid_out, interest, fees, closing)
with
  paid (account_id, paid_in, paid_out) as (
    select account_id, sum(case direction when 'in' then amount else 0 end),
      sum(case direction when 'out' then amount else 0 end)
    from payment group by account_id),
  credited (account_id, amount) as (
    select account_id, -sum(amount) from ledger
    where voucher = 'CAP-' || account_id and gl in (1500, 2000) group by account_id),
  charged (account_id, fee) as (
    select account_id, sum(amount) from ledger where voucher like 'FEE-%' and gl = 2000 group by account_id)
select a.id, a.currency, a.opening, coalesce(p.paid_in, 0), coalesce(p.paid_out, 0), coalesce(i.amount, 0),
  coalesce(f.fee, 0), b.closing
from account a
join account_balance b on b.account_id = a.id
left join paid p on p.account_id = a.id
left join credited i on i.account_id = a.id
left join charged f on f.account_id = a.id;

-- A statement explains its closing balance to the cent.
-- expect: none
select account_id, opening + paid_in - paid_out + interest - fees as explained, closing
from statement
where opening + paid_in - paid_out + interest - fees <> closing;

-- Every account that carries money has one.
-- expect: none
select a.id from account a left join statement s on s.account_id = a.id
where a.kind <> 'custody' and s.account_id is null;

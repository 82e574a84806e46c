-- Every foreign-currency balance at today's rate; what differs from its book value in euro is today's result.

delete from revaluation;
delete from posting where source = 'revaluation';

insert into revaluation (gl, account_id, currency, balance, book, market)
with book (gl, account_id, currency, balance, eur) as (
  select l.gl, coalesce(l.account_id, 0), l.currency, sum(l.amount), sum(l.eur)
  from posting_line l
  join gl_account g on g.code = l.gl
  where g.revalued = 1 and l.currency <> 'EUR' and l.source in ('opening', 'payments', 'interest')
  group by l.gl, coalesce(l.account_id, 0), l.currency)
select b.gl, b.account_id, b.currency, b.balance, b.eur,
  (2 * abs(b.balance) * c.cents_per_minor * 1000000 + r.micro) / (2 * r.micro) * sign(b.balance)
from book b
join currency c on c.code = b.currency
join business_day d
join rate r on r.day = d.day and r.currency = b.currency;

insert into posting (voucher, source, rate_day, debit_gl, debit_account, credit_gl, credit_account, currency, amount, eur_only)
select 'REV-' || v.gl || '-' || v.currency || '-' || v.account_id, 'revaluation', d.day,
  v.gl, nullif(v.account_id, 0), 7000, null, v.currency, 0, v.market - v.book
from revaluation v, business_day d where v.market > v.book
union all
select 'REV-' || v.gl || '-' || v.currency || '-' || v.account_id, 'revaluation', d.day,
  7000, null, v.gl, nullif(v.account_id, 0), v.currency, 0, v.book - v.market
from revaluation v, business_day d where v.market < v.book;

-- A rate moves a balance by at most its currency's limit (and a cent of rounding): more is an error of these sums.
-- expect: none
select v.gl, v.account_id, v.currency, v.book, v.market
from revaluation v
join currency c on c.code = v.currency
where abs(v.market - v.book) * 10000 > c.move_limit_bp * 2 * abs(v.book) + 10000 * 500;

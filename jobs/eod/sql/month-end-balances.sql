-- The general ledger as the month leaves it.

delete from month_end_balance where month = (select substr(day, 1, 7) from business_day);

insert into month_end_balance (month, gl, currency, amount, eur)
select substr(d.day, 1, 7), l.gl, l.currency, sum(l.amount), sum(l.eur)
from ledger l, business_day d
group by l.gl, l.currency;

-- expect: rows
select 1 where (select count(*) from month_end_balance m join business_day d on m.month = substr(d.day, 1, 7)) > 0;

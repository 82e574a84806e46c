-- Today's rates are complete, are those of the file, and have not moved further than is believable.

-- expect: rows
select r.currency from rate r join business_day d on r.day = d.day;

-- As many as the file has (the euro itself is not in it).
-- expect: none
select t.value as in_file, count(r.currency) - 1 as loaded
from control_total t, business_day d
left join rate r on r.day = d.day
where t.name = 'rates in file'
group by t.value
having count(r.currency) - 1 <> t.value;

-- The file's own total was recorded.
-- expect: rows
select value from control_total where name = 'rates in file' and value > 0;

-- A rate for every currency that the bank holds, today and the day before.
-- expect: none
select distinct a.currency, w.day
from account a
join (select day from business_day union all select previous_day from business_day) w
left join rate r on r.day = w.day and r.currency = a.currency
where r.currency is null;

-- Not further from the day before than the currency's limit; 15 % where the bank does not hold it.
-- expect: none
select t.currency, y.micro as day_before, t.micro as today
from business_day d
join rate t on t.day = d.day
join rate y on y.day = d.previous_day and y.currency = t.currency
left join currency c on c.code = t.currency
where abs(t.micro - y.micro) * 10000 > coalesce(c.move_limit_bp, 1500) * y.micro;

-- The day is over: nothing is booked on it any more.

-- expect: rows
select 1 from business_day where state = 'open';

update business_day set state = 'closed';

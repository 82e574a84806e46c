-- The early shift's own look at the books, without a word from the night's jobs.

-- expect: none
select currency, sum(amount) from ledger group by currency having sum(amount) <> 0;

-- expect: none
select total from (select sum(eur) as total from ledger) where total <> 0;

-- expect: none
select s.account_id, s.closing, b.closing
from statement s left join account_balance b on b.account_id = s.account_id
where b.closing is null or b.closing <> s.closing;

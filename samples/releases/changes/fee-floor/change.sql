alter table fee_schedule add column minimum_fee bigint not null default 0;

update fee_schedule set minimum_fee = 500 where tier in ('a', 'b', 'c');

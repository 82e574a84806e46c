-- What the changes of this sample work on, in each of the three databases: fees of 30 custody accounts, ten in each tier.
-- Amounts are cents, rates basis points a year. Nothing is random.

drop table if exists custody_fee, fee_schedule, fee_agreement cascade;

create table fee_agreement (
  tier text primary key,
  year_bp bigint not null
);

create table fee_schedule (
  tier text primary key references fee_agreement (tier),
  year_bp bigint not null
);

create table custody_fee (
  month text not null,
  account_id bigint not null,
  tier text not null references fee_schedule (tier),
  securities_value bigint not null,
  year_bp bigint not null,
  fee bigint not null,
  primary key (month, account_id)
);

insert into fee_agreement (tier, year_bp) values ('a', 10), ('b', 12), ('c', 15);
-- Tier c was loaded with last year's rate.
insert into fee_schedule (tier, year_bp) values ('a', 10), ('b', 12), ('c', 18);

insert into custody_fee (month, account_id, tier, securities_value, year_bp, fee)
select '2026-10', 10000 + n, s.tier, v.value, s.year_bp, (2 * v.value * s.year_bp + 120000) / 240000
from generate_series(1, 30) n
cross join lateral (select 25000000 + (n * 7919 % 10007) * 5050 as value) v
join fee_schedule s on s.tier = (array['a', 'b', 'c'])[1 + n % 3];

create table if not exists fee_schedule_before_fee_floor (tier text primary key, year_bp bigint not null);

insert into fee_schedule_before_fee_floor (tier, year_bp)
select tier, year_bp from fee_schedule
on conflict (tier) do update set year_bp = excluded.year_bp;

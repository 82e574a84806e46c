-- Exactly the rows that change.sql touches, so that a second try after a rollback keeps the first backup.

create table if not exists fee_schedule_before_fee_correction (tier text primary key, year_bp bigint not null);

create table if not exists custody_fee_before_fee_correction (
  month text not null,
  account_id bigint not null,
  year_bp bigint not null,
  fee bigint not null,
  primary key (month, account_id)
);

insert into fee_schedule_before_fee_correction (tier, year_bp)
select tier, year_bp from fee_schedule where tier = 'c' and year_bp = 18
on conflict (tier) do update set year_bp = excluded.year_bp;

insert into custody_fee_before_fee_correction (month, account_id, year_bp, fee)
select month, account_id, year_bp, fee from custody_fee where month = '2026-10' and tier = 'c' and year_bp = 18
on conflict (month, account_id) do update set year_bp = excluded.year_bp, fee = excluded.fee;

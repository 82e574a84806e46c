update fee_schedule
set year_bp = (select b.year_bp from fee_schedule_before_fee_correction b where b.tier = fee_schedule.tier)
where tier in (select tier from fee_schedule_before_fee_correction);

update custody_fee
set (year_bp, fee) = (
  select b.year_bp, b.fee from custody_fee_before_fee_correction b
  where b.month = custody_fee.month and b.account_id = custody_fee.account_id)
where (month, account_id) in (select month, account_id from custody_fee_before_fee_correction);

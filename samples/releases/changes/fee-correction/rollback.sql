update fee_schedule s set year_bp = b.year_bp
from fee_schedule_before_fee_correction b
where b.tier = s.tier;

update custody_fee f set year_bp = b.year_bp, fee = b.fee
from custody_fee_before_fee_correction b
where b.month = f.month and b.account_id = f.account_id;

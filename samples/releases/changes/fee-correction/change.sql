update fee_schedule set year_bp = 15 where tier = 'c' and year_bp = 18;

-- A twelfth of the year's rate, rounded half up to the cent.
update custody_fee
set year_bp = 15, fee = (2 * securities_value * 15 + 120000) / 240000
where month = '2026-10' and tier = 'c' and year_bp = 18;

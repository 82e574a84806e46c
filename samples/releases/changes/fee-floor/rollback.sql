alter table fee_schedule drop column minimum_fee;

update fee set rate = 5;
drop table old_fee;

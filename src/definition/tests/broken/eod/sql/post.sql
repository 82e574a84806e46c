insert into ledger values (1);

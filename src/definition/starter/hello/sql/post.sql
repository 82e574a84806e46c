-- One transaction (`transaction: one` is the default): all of it or nothing. May run again.
create table if not exists booking (
  account integer not null primary key,
  amount  numeric not null
);
insert into booking (account, amount) values (1001, 250.00), (1002, -250.00)
  on conflict (account) do update set amount = excluded.amount;

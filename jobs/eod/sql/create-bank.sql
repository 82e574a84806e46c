-- The sample bank from nothing, so that the same night can be played again and again.
-- Money is whole minor units (cents, yen). Rates are units of currency for one euro, times 1,000,000.

drop view if exists account_balance;
drop view if exists posting_line;
drop view if exists valued_posting;
drop table if exists month_end_balance;
drop table if exists statement;
drop table if exists ledger;
drop table if exists revaluation;
drop table if exists posting;
drop table if exists accrual;
drop table if exists payment;
drop table if exists custody_fee_before_fee_correction;
drop table if exists fee_schedule_before_fee_correction;
drop table if exists custody_fee;
drop table if exists fee_schedule;
drop table if exists fee_agreement;
drop table if exists account;
drop table if exists customer;
drop table if exists product;
drop table if exists rate;
drop table if exists currency;
drop table if exists gl_account;
drop table if exists control_total;
drop table if exists business_day;

create table business_day (
  day text primary key,
  previous_day text not null,
  next_day text not null,
  state text not null check (state in ('open', 'closed'))
) strict;

-- What an input file says about itself, kept beside what was loaded from it.
create table control_total (
  name text primary key,
  value integer not null
) strict;

create table currency (
  code text primary key,
  title text not null,
  cents_per_minor integer not null,   -- euro cents that one minor unit is worth at a rate of 1: 1, and 100 where there are no minor units
  day_basis integer not null,         -- of interest: actual days over 360 or 365
  move_limit_bp integer not null      -- a rate that moves further in a day stops the night
) strict;

-- Every currency of the ECB's list, whether the bank holds it or not.
create table rate (
  day text not null,
  currency text not null,
  micro integer not null check (micro > 0),
  primary key (day, currency)
) strict;

create table gl_account (
  code integer primary key,
  title text not null,
  title_zh text not null,
  revalued integer not null check (revalued in (0, 1))
) strict;

create table product (
  kind text not null,
  currency text not null references currency (code),
  interest_bp integer not null,
  primary key (kind, currency)
) strict;

create table customer (
  id integer primary key,
  name text not null
) strict;

create table account (
  id integer primary key,
  customer_id integer not null references customer (id),
  kind text not null check (kind in ('current', 'savings', 'loan', 'custody')),
  currency text not null references currency (code),
  opening integer not null,           -- minor units, positive in the customer's favour
  settlement_id integer references account (id),
  securities_value integer,           -- of custody accounts, in cents
  tier text                           -- of custody accounts
) strict;

create table payment (
  id text primary key,
  account_id integer not null,        -- checked by check-payments, not by a reference: a wrong file is to be shown whole
  direction text not null,
  currency text not null,
  amount integer not null,
  counterparty text not null
) strict;

create table accrual (
  account_id integer not null references account (id),
  part text not null check (part in ('brought forward', 'night')),
  nights integer not null,
  micro integer not null,             -- millionths of a minor unit
  posted integer not null,            -- whole minor units that this part posts
  primary key (account_id, part)
) strict;

-- What the charges agreed with customers are, and what the system was told they are.
create table fee_agreement (
  tier text primary key,
  year_bp integer not null
) strict;

create table fee_schedule (
  tier text primary key references fee_agreement (tier),
  year_bp integer not null
) strict;

create table custody_fee (
  month text not null,
  account_id integer not null references account (id),
  tier text not null,
  securities_value integer not null,
  year_bp integer not null,
  fee integer not null,               -- cents
  primary key (month, account_id)
) strict;

-- Double entry: each posting debits one side and credits the other with the same amount.
create table posting (
  id integer primary key,
  voucher text not null,
  source text not null,
  rate_day text not null,             -- whose rate turns the amount into euro
  debit_gl integer not null references gl_account (code),
  debit_account integer references account (id),
  credit_gl integer not null references gl_account (code),
  credit_account integer references account (id),
  currency text not null references currency (code),
  amount integer not null check (amount >= 0),
  eur_only integer not null default 0 check (eur_only >= 0)   -- cents of a revaluation: moves euro, not currency
) strict;

create index posting_source on posting (source);

-- Euro cents of a posting, rounded half away from zero; the one place where this is written for postings.
create view valued_posting as
select p.*,
  (2 * p.amount * c.cents_per_minor * 1000000 + r.micro) / (2 * r.micro) + p.eur_only as eur
from posting p
join currency c on c.code = p.currency
join rate r on r.day = p.rate_day and r.currency = p.currency;

-- Both sides of every posting. Debit is positive.
create view posting_line as
select id as posting_id, voucher, source, debit_gl as gl, debit_account as account_id, currency, amount, eur
from valued_posting
union all
select id, voucher, source, credit_gl, credit_account, currency, -amount, -eur
from valued_posting;

create table revaluation (
  gl integer not null references gl_account (code),
  account_id integer not null,        -- 0 where the general ledger keeps one balance by currency
  currency text not null references currency (code),
  balance integer not null,
  book integer not null,              -- cents before, debit positive
  market integer not null,            -- cents at today's rate
  primary key (gl, account_id, currency)
) strict;

create table ledger (
  id integer primary key,
  posting_id integer not null references posting (id),
  voucher text not null,
  gl integer not null references gl_account (code),
  account_id integer references account (id),
  currency text not null references currency (code),
  amount integer not null,
  eur integer not null
) strict;

create index ledger_account on ledger (account_id);

-- In the customer's favour is positive. Accrued interest is not the customer's until it is credited.
create view account_balance as
select a.id as account_id, a.currency, coalesce(-sum(l.amount), 0) as closing
from account a
left join ledger l on l.account_id = a.id and l.gl in (1500, 2000)
where a.kind <> 'custody'
group by a.id;

create table statement (
  account_id integer primary key references account (id),
  currency text not null,
  opening integer not null,
  paid_in integer not null,
  paid_out integer not null,
  interest integer not null,
  fees integer not null,
  closing integer not null
) strict;

create table month_end_balance (
  month text not null,
  gl integer not null,
  currency text not null,
  amount integer not null,
  eur integer not null,
  primary key (month, gl, currency)
) strict;

insert into currency (code, title, cents_per_minor, day_basis, move_limit_bp) values
  ('EUR', 'Euro', 1, 360, 500),
  ('USD', 'US dollar', 1, 360, 500),
  ('GBP', 'Pound sterling', 1, 365, 500),
  ('CHF', 'Swiss franc', 1, 360, 500),
  ('JPY', 'Yen', 100, 360, 500),
  ('HKD', 'Hong Kong dollar', 1, 365, 500),
  ('SGD', 'Singapore dollar', 1, 365, 500),
  ('CNY', 'Renminbi', 1, 360, 500);

insert into gl_account (code, title, title_zh, revalued) values
  (1000, 'Balances with correspondent banks', '存放同业', 1),
  (1500, 'Loans to customers', '客户贷款', 1),
  (1900, 'Accrued interest receivable', '应收利息', 1),
  (2000, 'Customer deposits', '客户存款', 1),
  (2900, 'Accrued interest payable', '应付利息', 1),
  (3000, 'Results brought forward', '上期结转', 0),
  (4000, 'Interest income', '利息收入', 0),
  (4100, 'Custody fee income', '托管费收入', 0),
  (5000, 'Interest expense', '利息支出', 0),
  (7000, 'Foreign exchange result', '汇兑损益', 0);

insert into product (kind, currency, interest_bp) values
  ('current', 'EUR', 50), ('current', 'USD', 150), ('current', 'GBP', 140), ('current', 'CHF', 0),
  ('current', 'JPY', 25), ('current', 'HKD', 100), ('current', 'SGD', 80), ('current', 'CNY', 60),
  ('savings', 'EUR', 175), ('savings', 'USD', 310), ('loan', 'EUR', 585), ('custody', 'EUR', 0);

insert into fee_agreement (tier, year_bp) values ('a', 10), ('b', 12), ('c', 15);

-- Tier c was loaded with last year's rate: what the change fee-correction puts right.
insert into fee_schedule (tier, year_bp) values ('a', 10), ('b', 12), ('c', 18);

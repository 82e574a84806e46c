//! The sample night's figures, computed a second time from `jobs/eod/README.md` and the ECB's file alone, against the
//! database that a night has left behind. No SQL of the night is used here but plain reads.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test that reads the carried rates and starts the real binary"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};

const DAY: &str = "2026-10-30";
const DAY_BEFORE: &str = "2026-10-29";
/// From the first of October to the 30th, and from the 30th, a Friday, to Monday 2 November.
const NIGHTS_SO_FAR: i128 = 29;
const NIGHTS_TO_COME: i128 = 3;

/// Half away from zero.
fn divide(numerator: i128, denominator: i128) -> i128 {
    let half = (2 * numerator.abs() + denominator) / (2 * denominator);
    if numerator < 0 { -half } else { half }
}

/// One row of the ECB's file, in millionths.
struct Rates(BTreeMap<String, i128>);

impl Rates {
    fn of(day: &str) -> Self {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("jobs/eod/data/eurofxref-history.csv");
        let text = fs::read_to_string(path).unwrap();
        let mut lines = text.lines();
        let heading = lines.next().unwrap().split(',').skip(1);
        let row = lines.find_map(|l| l.strip_prefix(day)?.strip_prefix(',')).unwrap().split(',');
        let mut rates: BTreeMap<String, i128> = heading
            .zip(row)
            .map(|(currency, rate)| {
                let (whole, part) = rate.split_once('.').unwrap_or((rate, ""));
                let part: String = part.chars().chain("000000".chars()).take(6).collect();
                (
                    currency.to_owned(),
                    whole.parse::<i128>().unwrap() * 1_000_000 + part.parse::<i128>().unwrap(),
                )
            })
            .collect();
        rates.insert("EUR".to_owned(), 1_000_000);
        Self(rates)
    }

    /// Euro cents.
    fn value(&self, amount: i128, currency: &str) -> i128 {
        let cents = if currency == "JPY" { 100 } else { 1 };
        divide(amount * cents * 1_000_000, self.0[currency])
    }
}

struct Account {
    id: i64,
    kind: &'static str,
    currency: &'static str,
    opening: i128,
    /// In and out, of the one payment that each current account has.
    paid_in: i128,
    paid_out: i128,
    securities: i128,
    tier: &'static str,
}

const FOREIGN: [&str; 7] = ["USD", "GBP", "CHF", "JPY", "HKD", "SGD", "CNY"];

fn accounts() -> Vec<Account> {
    let mut accounts = Vec::new();
    for k in 1..=360_i128 {
        let (c, slot) = ((k - 1) / 3 + 1, (k - 1) % 3);
        let base = 500_000 + (7919 * k % 100_003) * 101;
        let (kind, currency, opening) = match (slot, c % 4) {
            (0, _) => ("current", "EUR", base),
            (1, _) => ("current", FOREIGN[(c % 7) as usize], base),
            (_, 0) => ("loan", "EUR", -5 * base),
            (_, 1) => ("custody", "EUR", 0),
            (_, 2) => ("savings", "EUR", 2 * base),
            _ => ("savings", "USD", 2 * base),
        };
        let (securities, tier) = if kind == "custody" {
            (50 * base, ["a", "b", "c"][(c / 4 % 3) as usize])
        } else {
            (0, "")
        };
        let id = (10_000 + k) as i64;
        accounts.push(Account {
            id,
            kind,
            currency,
            opening,
            paid_in: 0,
            paid_out: 0,
            securities,
            tier,
        });
    }
    for i in 1..=240_i128 {
        let (customer, slot) = (37 * i % 120 + 1, (i + i / 120) % 2);
        let amount = (7349 * i + 131 * 30) % 250_000 + 500;
        let account = &mut accounts[((customer - 1) * 3 + slot) as usize];
        if i % 3 == 0 { account.paid_in += amount } else { account.paid_out += amount }
    }
    accounts
}

impl Account {
    fn interest_bp(&self) -> i128 {
        match (self.kind, self.currency) {
            ("current", "EUR") => 50,
            ("current", "USD") => 150,
            ("current", "GBP") => 140,
            ("current", "JPY") => 25,
            ("current", "HKD") => 100,
            ("current", "SGD") => 80,
            ("current", "CNY") => 60,
            ("savings", "EUR") => 175,
            ("savings", "USD") => 310,
            ("loan", "EUR") => 585,
            _ => 0,
        }
    }

    fn after_payments(&self) -> i128 {
        self.opening + self.paid_in - self.paid_out
    }

    /// Millionths of a minor unit that a balance earns.
    fn interest(&self, balance: i128, nights: i128) -> i128 {
        let basis = if ["GBP", "HKD", "SGD"].contains(&self.currency) { 365 } else { 360 };
        divide(balance * self.interest_bp() * nights * 100, basis)
    }

    /// Minor units of interest: posted before tonight, and tonight.
    fn interest_posted(&self) -> (i128, i128) {
        let before = self.interest(self.opening, NIGHTS_SO_FAR);
        let tonight = self.interest(self.after_payments(), NIGHTS_TO_COME);
        let posted_before = divide(before, 1_000_000);
        (posted_before, divide(before + tonight, 1_000_000) - posted_before)
    }

    /// Cents, at the yearly rate that is agreed.
    fn custody_fee(&self) -> i128 {
        let bp = match self.tier {
            "a" => 10,
            "b" => 12,
            "c" => 15,
            _ => 0,
        };
        divide(self.securities * bp, 120_000)
    }

    /// Month end: interest credited, and the fee of the same customer's custody account charged.
    fn closing(&self, accounts: &[Account]) -> i128 {
        let (before, tonight) = self.interest_posted();
        let fees: i128 = accounts
            .iter()
            .filter(|custody| custody.kind == "custody" && custody.id == self.id + 2)
            .map(Account::custody_fee)
            .sum();
        let charged = if self.kind == "current" && self.currency == "EUR" { fees } else { 0 };
        self.after_payments() + before + tonight - charged
    }
}

/// Today's result of revaluation in euro cents, by general ledger account and currency; debit is positive.
fn revaluation(accounts: &[Account]) -> BTreeMap<(i64, String), i128> {
    let (before, today) = (Rates::of(DAY_BEFORE), Rates::of(DAY));
    let mut result = BTreeMap::new();
    // Balance and book value of the correspondents' side, by currency.
    let mut nostro: BTreeMap<&str, (i128, i128)> = BTreeMap::new();
    for account in accounts.iter().filter(|a| a.currency != "EUR") {
        let currency = account.currency;
        let payments =
            today.value(account.paid_in, currency) - today.value(account.paid_out, currency);
        let book = before.value(account.opening, currency) + payments;
        let market = today.value(account.after_payments(), currency);
        *result.entry((2000, currency.to_owned())).or_default() += -(market - book);
        let bank = nostro.entry(currency).or_default();
        *bank = (bank.0 + account.after_payments(), bank.1 + book);

        let (accrued, tonight) = account.interest_posted();
        let book = before.value(accrued, currency) + today.value(tonight, currency);
        let market = today.value(accrued + tonight, currency);
        if accrued + tonight != 0 {
            *result.entry((2900, currency.to_owned())).or_default() += -(market - book);
        }
    }
    for (currency, (balance, book)) in nostro {
        result.insert((1000, currency.to_owned()), today.value(balance, currency) - book);
    }
    result
}

struct Bank {
    runtime: tokio::runtime::Runtime,
    connection: SqliteConnection,
}

impl Bank {
    fn open(db: &Path) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let options = SqliteConnectOptions::new().filename(db).read_only(true);
        let connection =
            runtime.block_on(options.connect()).unwrap_or_else(|e| panic!("{}: {e}", db.display()));
        Self { runtime, connection }
    }

    fn rows<T>(&mut self, query: &'static str) -> Vec<T>
    where
        T: for<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow> + Send + Unpin,
    {
        self.runtime
            .block_on(sqlx::query_as::<_, T>(query).fetch_all(&mut self.connection))
            .unwrap_or_else(|e| panic!("{query}: {e}"))
    }

    fn number(&mut self, query: &'static str) -> i128 {
        i128::from(self.rows::<(i64,)>(query)[0].0)
    }

    fn close(self) {
        self.runtime.block_on(self.connection.close()).unwrap();
    }
}

/// Every key figure of the night of 2026-10-30 in the database that it left behind.
pub(crate) fn check(db: &Path) {
    let mut bank = Bank::open(db);
    let accounts = accounts();
    check_accounts_and_rates(&mut bank, &accounts);
    check_interest(&mut bank, &accounts);
    check_revaluation(&mut bank, &accounts);
    check_custody_fees(&mut bank, &accounts);
    check_ledger(&mut bank, &accounts);
    bank.close();
}

fn check_accounts_and_rates(bank: &mut Bank, accounts: &[Account]) {
    let stored: Vec<(i64, String, String, i64)> =
        bank.rows("select id, kind, currency, opening from account order by id");
    assert_eq!(stored.len(), 360);
    for (account, (id, kind, currency, opening)) in accounts.iter().zip(&stored) {
        let expected = (account.id, account.kind, account.currency, account.opening);
        assert_eq!((*id, kind.as_str(), currency.as_str(), i128::from(*opening)), expected);
    }
    for day in [DAY_BEFORE, DAY] {
        let stored: Vec<(String, String, i64)> = bank.rows("select day, currency, micro from rate");
        let stored: BTreeMap<String, i128> =
            stored.into_iter().filter(|r| r.0 == day).map(|r| (r.1, i128::from(r.2))).collect();
        assert_eq!(stored, Rates::of(day).0, "rates of {day}");
    }
    assert_eq!(
        bank.rows::<(String, String)>("select day, state from business_day"),
        [(DAY.to_owned(), "closed".to_owned())]
    );
}

fn check_interest(bank: &mut Bank, accounts: &[Account]) {
    let stored: Vec<(i64, String, i64)> =
        bank.rows("select account_id, part, posted from accrual order by account_id, part");
    let expected: Vec<(i64, String, i64)> = accounts
        .iter()
        .filter(|account| account.interest_bp() != 0)
        .flat_map(|account| {
            let (before, tonight) = account.interest_posted();
            let row = |part: &str, posted| (account.id, part.to_owned(), posted as i64);
            [row("brought forward", before), row("night", tonight)]
        })
        .collect();
    assert_eq!(stored, expected);
    let total: i128 = expected.iter().filter(|r| r.1 == "night").map(|r| i128::from(r.2)).sum();
    assert_ne!(total, 0);
    assert_eq!(bank.number("select sum(posted) from accrual where part = 'night'"), total);
}

fn check_revaluation(bank: &mut Bank, accounts: &[Account]) {
    let stored: Vec<(i64, String, i64)> =
        bank.rows("select gl, currency, sum(market - book) from revaluation group by gl, currency");
    let stored: BTreeMap<(i64, String), i128> =
        stored.into_iter().map(|r| ((r.0, r.1), i128::from(r.2))).collect();
    let expected = revaluation(accounts);
    assert_eq!(stored, expected);
    let total: i128 = expected.values().sum();
    assert_ne!(total, 0);
    assert_eq!(
        bank.number("select -sum(eur) from ledger where gl = 7000"),
        total,
        "result in the ledger"
    );
}

fn check_custody_fees(bank: &mut Bank, accounts: &[Account]) {
    let custody = || accounts.iter().filter(|account| account.kind == "custody");
    let stored: Vec<(i64, String, i64)> = bank.rows(
        "select account_id, tier, fee from custody_fee where month = '2026-10' order by account_id",
    );
    let expected: Vec<(i64, String, i64)> =
        custody().map(|a| (a.id, a.tier.to_owned(), a.custody_fee() as i64)).collect();
    assert_eq!(stored, expected);
    assert_eq!(
        bank.rows::<(String, i64)>("select tier, year_bp from fee_schedule order by tier"),
        [("a".to_owned(), 10), ("b".to_owned(), 12), ("c".to_owned(), 15)]
    );

    // What the correction replaced: one line of the schedule and ten fees at 18 basis points.
    let kept: Vec<(i64, i64)> = bank
        .rows("select account_id, fee from custody_fee_before_fee_correction order by account_id");
    let replaced: Vec<(i64, i64)> = custody()
        .filter(|a| a.tier == "c")
        .map(|a| (a.id, divide(a.securities * 18, 120_000) as i64))
        .collect();
    assert_eq!(replaced.len(), 10);
    assert_eq!(kept, replaced);
    assert_eq!(
        bank.rows::<(String, i64)>("select tier, year_bp from fee_schedule_before_fee_correction"),
        [("c".to_owned(), 18)]
    );
    let income: i128 = custody().map(Account::custody_fee).sum();
    assert_eq!(bank.number("select -sum(eur) from ledger where gl = 4100"), income);
}

fn check_ledger(bank: &mut Bank, accounts: &[Account]) {
    let unbalanced: Vec<(String, i64)> = bank
        .rows("select currency, sum(amount) from ledger group by currency having sum(amount) <> 0");
    assert_eq!(unbalanced, []);
    assert_eq!(bank.number("select sum(eur) from ledger"), 0, "trial balance");

    let expected: BTreeMap<i64, i128> = accounts
        .iter()
        .filter(|account| account.kind != "custody")
        .map(|account| (account.id, account.closing(accounts)))
        .collect();
    let ledger: Vec<(i64, i64)> = bank.rows(
        "select account_id, -sum(amount) from ledger where account_id is not null and gl in (1500, 2000) group by account_id",
    );
    let ledger: BTreeMap<i64, i128> =
        ledger.into_iter().map(|(id, sum)| (id, i128::from(sum))).collect();
    assert_eq!(ledger, expected, "closing balances in the ledger");
    let statements: Vec<(i64, i64)> = bank.rows("select account_id, closing from statement");
    let statements: BTreeMap<i64, i128> =
        statements.into_iter().map(|(id, closing)| (id, i128::from(closing))).collect();
    assert_eq!(statements, expected, "closing balances of the statements");

    // The correspondents hold what customers brought in less what they were lent; fees and interest move no money there.
    let mut held: BTreeMap<String, i128> = BTreeMap::new();
    for account in accounts.iter().filter(|account| account.kind != "custody") {
        *held.entry(account.currency.to_owned()).or_default() += account.after_payments();
    }
    let nostro: Vec<(String, i64)> =
        bank.rows("select currency, sum(amount) from ledger where gl = 1000 group by currency");
    let nostro: BTreeMap<String, i128> =
        nostro.into_iter().map(|(currency, sum)| (currency, i128::from(sum))).collect();
    assert_eq!(nostro, held);
}

#[test]
fn the_sample_night_leaves_the_figures_that_its_rules_give() {
    let state = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_nightrun"))
        .args(["--site", "jobs", "--state"])
        .arg(state.path())
        .args(["run", "eod", "--at", "2026-10-30T21:30"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}\n{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    check(&state.path().join("work/bank.db"));
}

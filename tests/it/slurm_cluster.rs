//! A Slurm of the tests' own on this host: free ports, a folder of its own, one node, gone when the test is.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::mariadb_server::MariaServer;
use crate::night::facts::eventually;
use crate::server_process::{self, ServerProcess, free_port};

pub(crate) struct SlurmCluster {
    folder: tempfile::TempDir,
    node: String,
    pub(crate) controller: ServerProcess,
    _node_daemon: ServerProcess,
    /// The daemon of the accounts, where it keeps them.
    pub(crate) accounts: Option<ServerProcess>,
    // After what uses them: they go in this order.
    _munge: ServerProcess,
    _database: Option<MariaServer>,
}

impl SlurmCluster {
    /// Without accounts; what is over is forgotten after five minutes.
    pub(crate) fn start() -> Self {
        Self::start_with("", None)
    }

    /// Forgets what is over within seconds.
    pub(crate) fn forgetful() -> Self {
        Self::start_with("MinJobAge=2\n", None)
    }

    /// As forgetful, with accounts in a database.
    pub(crate) fn with_accounts() -> Self {
        Self::start_with("MinJobAge=2\n", Some(MariaServer::start()))
    }

    fn start_with(more: &str, database: Option<MariaServer>) -> Self {
        let folder = tempfile::Builder::new().prefix("sl").tempdir().unwrap();
        let dir = folder.path().to_owned();
        for name in ["run", "state", "spool", "log"] {
            fs::create_dir(dir.join(name)).unwrap();
        }
        let hostname = Command::new("hostname").arg("-s").output().unwrap();
        let node = String::from_utf8(hostname.stdout).unwrap().trim().to_owned();
        private(&dir.join("munge.key"), &random());
        let munge = start(
            &dir,
            "munged",
            &[
                "--foreground".to_owned(),
                "--force".to_owned(),
                format!("--key-file={}", dir.join("munge.key").display()),
                format!("--socket={}", dir.join("run/munge.sock").display()),
                format!("--pid-file={}", dir.join("run/munged.pid").display()),
                format!("--log-file={}", dir.join("log/munged.log").display()),
                format!("--seed-file={}", dir.join("run/seed").display()),
            ],
        );
        eventually("munge", || dir.join("run/munge.sock").exists());
        let accounts_port = free_port();
        let accounts = database.as_ref().map(|database| {
            private(&dir.join("slurmdbd.conf"), &accounts_settings(&dir, accounts_port, database));
            start(&dir, "slurmdbd", &["-D".to_owned()])
        });
        let accounting = match &accounts {
            Some(_) => format!(
                "AccountingStorageType=accounting_storage/slurmdbd\nAccountingStorageHost=localhost\n\
                 AccountingStoragePort={accounts_port}\nAccountingStoragePass={}\n",
                dir.join("run/munge.sock").display()
            ),
            None => String::new(),
        };
        let settings = settings(&dir, &node);
        fs::write(dir.join("slurm.conf"), format!("{settings}{accounting}{more}")).unwrap();
        if accounts.is_some() {
            let listens = || std::net::TcpStream::connect(("127.0.0.1", accounts_port)).is_ok();
            eventually("slurmdbd", listens);
        }
        let conf = dir.join("slurm.conf").display().to_string();
        let words = |more: &[&str]| {
            let words = ["-D", "-f", &conf].into_iter().chain(more.iter().copied());
            words.map(str::to_owned).collect::<Vec<_>>()
        };
        let controller = start(&dir, "slurmctld", &words(&[]));
        let node_daemon = start(&dir, "slurmd", &words(&["-N", &node]));
        let (_munge, _database, _node_daemon) = (munge, database, node_daemon);
        let cluster = Self { folder, node, controller, _node_daemon, accounts, _munge, _database };
        cluster.ready();
        cluster
    }

    /// Waits until its node can take jobs.
    pub(crate) fn ready(&self) {
        eventually("a node", || self.ask(&["sinfo", "-h", "-o", "%T"]).trim() == "idle");
    }

    /// What every command of Slurm is told of it by (`SLURM_CONF`).
    pub(crate) fn conf(&self) -> PathBuf {
        self.folder.path().join("slurm.conf")
    }

    /// The only node of it.
    pub(crate) fn node(&self) -> &str {
        &self.node
    }

    /// What a command of Slurm prints.
    pub(crate) fn ask(&self, words: &[&str]) -> String {
        let asked =
            Command::new(words[0]).args(&words[1..]).env("SLURM_CONF", self.conf()).output();
        String::from_utf8(asked.unwrap().stdout).unwrap()
    }

    /// `name state` of every job that the controller knows, in the order of submission.
    pub(crate) fn jobs(&self) -> Vec<String> {
        let jobs = self.ask(&["squeue", "-h", "-t", "all", "-S", "i", "-o", "%j %T"]);
        jobs.lines().map(str::to_owned).collect()
    }
}

impl Drop for SlurmCluster {
    /// No job outlives its test.
    fn drop(&mut self) {
        self.ask(&["scancel", "--signal=KILL", "--full", "--state=RUNNING"]);
        let ours = format!("SLURM_CONF={}", self.conf().display());
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let env = fs::read(entry.path().join("environ")).unwrap_or_default();
            let name = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
            let of_job = env.split(|byte| *byte == 0).any(|word| word == ours.as_bytes())
                && env.windows(13).any(|word| word == b"SLURM_JOB_ID=");
            if of_job && name.trim() != "slurmctld" {
                Command::new("kill").arg("-KILL").arg(entry.file_name()).status().ok();
            }
        }
    }
}

fn start(dir: &Path, name: &str, arguments: &[String]) -> ServerProcess {
    let package = match name {
        "munged" => "munge",
        "slurmdbd" => "slurmdbd slurm-wlm-mysql-plugin",
        _ => "slurm-wlm",
    };
    let program = server_process::program(name, [PathBuf::from("/usr/sbin")].into_iter(), package);
    // Goes with the process; the log of all stays.
    let own = dir.join(format!("process-{name}"));
    fs::create_dir(&own).unwrap();
    let conf = format!("SLURM_CONF={}", dir.join("slurm.conf").display());
    let mut words = vec!["env".to_owned(), conf, program.display().to_string()];
    words.extend_from_slice(arguments);
    // None of them ends by QUIT.
    ServerProcess::ended_by("KILL", &own, &words)
}

fn private(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

fn random() -> String {
    let seed = std::process::id();
    (0..64).map(|n| format!("{:016x}", u64::from(seed) * 0x9e37_79b9 + n)).collect()
}

fn settings(dir: &Path, node: &str) -> String {
    let (controller, daemon, dir) = (free_port(), free_port(), dir.display());
    format!(
        "ClusterName=one
SlurmctldHost={node}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={dir}/run/munge.sock
SlurmctldPort={controller}
SlurmdPort={daemon}
StateSaveLocation={dir}/state
SlurmdSpoolDir={dir}/spool
SlurmctldPidFile={dir}/run/slurmctld.pid
SlurmdPidFile={dir}/run/slurmd.pid
SlurmctldLogFile={dir}/log/slurmctld.log
SlurmdLogFile={dir}/log/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SlurmdParameters=config_overrides
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
JobAcctGatherType=jobacct_gather/none
KillWait=2
MailProg=/bin/true
NodeName={node} NodeAddr=127.0.0.1 CPUs=16 RealMemory=1000 State=UNKNOWN
PartitionName=main Nodes={node} Default=YES MaxTime=INFINITE State=UP
"
    )
}

fn accounts_settings(dir: &Path, port: u16, database: &MariaServer) -> String {
    let dir = dir.display();
    format!(
        "AuthType=auth/munge
AuthInfo=socket={dir}/run/munge.sock
DbdHost=localhost
DbdPort={port}
SlurmUser=root
LogFile={dir}/log/slurmdbd.log
PidFile={dir}/run/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={}
StorageUser=root
StorageLoc=slurm_acct_db
",
        database.port
    )
}

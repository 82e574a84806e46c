//! A night whose jobs all run on another host, over a real sshd and a wire that is cut again and again.
//!
//! That host has the state folder for its own, so that its agent is where a campaign looks for one; the agent of the
//! supervisor's own host lies elsewhere and has nothing to do.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep};
use std::time::Duration;

use super::dice::Dice;
use crate::night::house::House;
use crate::night::post::on_its_own;
use crate::ssh_server::SshServer;
use crate::tcp_wire::{Way, Wire};

pub(super) struct Far {
    ssh: SshServer,
    over: Arc<AtomicBool>,
    cuts: Option<JoinHandle<u32>>,
}

impl Far {
    /// All jobs of the batch `night` run there from now on.
    pub(super) fn new(house: &mut House, max_running: u64, seed: u64) -> Self {
        let ssh = SshServer::start();
        let port = ssh.port;
        let wire = on_its_own(async move || Wire::to(port).await);
        let (config, folder) = (ssh.client(wire.port), house.state());
        std::fs::create_dir_all(&folder).unwrap();
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_nightrun"), folder.join("nightrun"))
            .unwrap();
        let far = format!(
            "  far: {{address: 127.0.0.1, ssh: [-F, '{}'], folder: '{}', max_running: {max_running}}}\n",
            config.display(),
            folder.display()
        );
        house.write("hosts.yaml", &format!("version: 1\nhosts:\n{far}"));
        let batch = std::fs::read_to_string(house.site().join("night/night.yaml")).unwrap();
        house.write("night/night.yaml", &batch.replace("\njobs:\n", "\nhost: far\njobs:\n"));
        house.shared = Some(house.state().with_file_name("shared"));
        let over = Arc::new(AtomicBool::new(false));
        let (told, mut dice) = (Arc::clone(&over), Dice::new(seed ^ 0xfa6));
        let cuts = std::thread::spawn(move || {
            let mut cuts = 0;
            while !told.load(Ordering::Relaxed) {
                sleep(Duration::from_millis(dice.of(100, 1_500)));
                // Half of the time it is deaf, or nothing arrives, before it is cut.
                let before = [Way::Cut, Way::Cut, Way::NoAnswers, Way::Nothing];
                wire.set(*dice.pick(&before));
                sleep(Duration::from_millis(dice.of(10, 250)));
                wire.set(Way::Cut);
                sleep(Duration::from_millis(dice.of(0, 150)));
                wire.set(Way::Through);
                cuts += 1;
            }
            cuts
        });
        Self { ssh, over, cuts: Some(cuts) }
    }

    /// What is started over ssh from now on runs in this boot, and the first that comes to the point dies of it.
    pub(super) fn sessions(&self, boots: u32, fault: Option<(&str, &PathBuf)>) {
        let mut env = format!("NIGHTRUN_BOOT_ID=boot-{boots}");
        if let Some((point, once)) = fault {
            env.push_str(&format!(
                " NIGHTRUN_FAULT={point} NIGHTRUN_FAULT_ONCE={}",
                once.display()
            ));
        }
        self.ssh.set_env(&env);
    }

    /// The wire stays whole; how often it was cut.
    pub(super) fn rest(&mut self) -> u32 {
        self.over.store(true, Ordering::Relaxed);
        self.cuts.take().map_or(0, |cuts| cuts.join().unwrap())
    }
}

impl Drop for Far {
    fn drop(&mut self) {
        self.rest();
    }
}

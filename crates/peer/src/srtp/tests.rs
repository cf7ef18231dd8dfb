//! Held against the library that does the same, with the keys as DTLS would tell them.

use std::sync::{Arc, Mutex};

use rtc::{
    crypto::{self, RTCCrypto, RTCCryptoProvider},
    srtp::{context::Context, option, protection_profile::ProtectionProfile},
};

use super::*;

const PROFILES: [Profile; 2] = [Profile::AeadAes128Gcm, Profile::Aes128CmHmacSha1];
const SSRC: u32 = 0xcafe_babe;

fn master(profile: Profile, seed: u8) -> Master {
    let mut salt = std::array::from_fn(|at| seed.wrapping_mul(3).wrapping_add(at as u8));
    if profile == Profile::AeadAes128Gcm {
        salt[12..].fill(0);
    }
    Master {
        profile,
        key: std::array::from_fn(|at| seed.wrapping_add(17 * at as u8)),
        salt,
    }
}

/// The library's, with these keys.
fn library(master: &Master, crypto: &dyn RTCCrypto) -> Context {
    let (profile, salt) = match master.profile {
        Profile::AeadAes128Gcm => (ProtectionProfile::AeadAes128Gcm, &master.salt[..12]),
        Profile::Aes128CmHmacSha1 => (ProtectionProfile::Aes128CmHmacSha1_80, &master.salt[..]),
    };
    let (rtp, rtcp) = (
        option::srtp_replay_protection(64),
        option::srtcp_replay_protection(64),
    );
    Context::new(&master.key, salt, profile, Some(rtp), Some(rtcp), crypto).expect("a context")
}

/// A packet with an extension, whose payload says its number.
fn rtp(number: u64) -> Vec<u8> {
    let mut packet = vec![0x90, 96];
    packet.extend((number as u16).to_be_bytes());
    packet.extend([0, 0, 0, 1]);
    packet.extend(SSRC.to_be_bytes());
    packet.extend([0xbe, 0xde, 0, 1, 0x31, 1, 2, 0]);
    packet.extend(number.to_be_bytes());
    packet.extend([7; 90]);
    packet
}

const HEADER: usize = 20;

fn rtcp() -> Vec<u8> {
    let mut packet = vec![0x81, 206, 0, 2];
    packet.extend(SSRC.to_be_bytes());
    packet.extend([1, 2, 3, 4]);
    packet
}

fn crypto() -> Arc<dyn RTCCryptoProvider> {
    crypto::default_provider().expect("a provider")
}

#[test]
fn what_we_protect_the_library_reads_over_the_end_of_a_cycle() {
    let provider = crypto();
    for profile in PROFILES {
        let master = master(profile, 5);
        let mut sending = Sending::new(&master, provider.crypto()).expect("keys");
        let mut theirs = library(&master, provider.crypto());
        for number in 65_500..65_600 {
            // Behind something else, as in a batch.
            let mut bytes = b"before".to_vec();
            bytes.extend(rtp(number));
            sending
                .rtp(&mut bytes, 6, HEADER, SSRC, number)
                .expect("protected");
            let read = theirs.decrypt_rtp(&bytes[6..]).expect("read");
            assert_eq!(read[..], rtp(number)[..], "{profile:?} {number}");
            let mut bytes = b"before".to_vec();
            bytes.extend(rtcp());
            sending.rtcp(&mut bytes, 6, SSRC).expect("protected");
            let read = theirs.decrypt_rtcp(&bytes[6..]).expect("read");
            assert_eq!(read[..], rtcp()[..]);
        }
    }
}

#[test]
fn what_the_library_protects_we_read_once() {
    let provider = crypto();
    for profile in PROFILES {
        let master = master(profile, 9);
        let mut receiving = Receiving::new(&master, provider.crypto()).expect("keys");
        let mut theirs = library(&master, provider.crypto());
        for number in 65_500..65_600_u64 {
            let protected = theirs.encrypt_rtp(&rtp(number)).expect("protected");
            let mut read = |bytes: &mut [u8]| receiving.rtp(bytes, HEADER, SSRC, number as u16);
            for at in [0, HEADER - 1, HEADER + 3, protected.len() - 1] {
                let mut forged = protected.to_vec();
                forged[at] ^= 1;
                assert_eq!(read(&mut forged), None, "{profile:?}, byte {at}");
            }
            assert_eq!(read(&mut protected[..HEADER + 3].to_vec()), None, "cut off");
            let mut packet = protected.to_vec();
            let (index, length) = read(&mut packet).expect("read");
            assert_eq!((index, &packet[..length]), (number, &rtp(number)[..]));
            assert_eq!(read(&mut protected.to_vec()), None, "it was there before");
        }
        for _ in 0..3 {
            let protected = theirs.encrypt_rtcp(&rtcp()).expect("protected");
            let mut forged = protected.to_vec();
            *forged.last_mut().expect("some") ^= 1;
            assert_eq!(receiving.rtcp(&mut forged), None);
            let mut packet = protected.to_vec();
            let length = receiving.rtcp(&mut packet).expect("read");
            assert_eq!(packet[..length], rtcp()[..]);
            assert_eq!(receiving.rtcp(&mut protected.to_vec()), None, "{profile:?}");
        }
    }
}

#[test]
fn no_bytes_make_it_panic() {
    let provider = crypto();
    for profile in PROFILES {
        let mut receiving = Receiving::new(&master(profile, 1), provider.crypto()).expect("keys");
        for _ in 0..5000 {
            let length = fastrand::usize(..60);
            let mut packet: Vec<u8> = (0..length).map(|_| fastrand::u8(..)).collect();
            let header = fastrand::usize(..40).min(length);
            assert_eq!(receiving.rtp(&mut packet, header, 1, 2), None);
            assert_eq!(receiving.rtcp(&mut packet), None);
        }
    }
}

#[derive(Default)]
struct Told(Mutex<Vec<[Master; 2]>>);

impl Keys for Told {
    fn agreed(&self, sending: &Master, receiving: &Master, _: &dyn RTCCrypto) {
        let mut told = self.0.lock().expect("nobody panics");
        told.push([sending.clone(), receiving.clone()]);
    }
}

#[test]
fn the_keyring_tells_what_the_library_derives_from() {
    for profile in PROFILES {
        let told = Arc::new(Told::default());
        let keyring = Keyring::new(told.clone()).expect("a provider");
        // DTLS has a cipher of its own, and then there are keys twice.
        let _ = keyring.new_aead(crypto::AeadAlgorithm::Aes128Gcm, &[1; 16]);
        for seed in [20, 40] {
            let (sending, receiving) = (master(profile, seed), master(profile, seed + 1));
            library(&sending, keyring.crypto());
            library(&receiving, keyring.crypto());
            let _ = keyring.new_aead(crypto::AeadAlgorithm::Aes128Gcm, &[2; 16]);
            let last = told.0.lock().expect("nobody panics").pop();
            let [told_sending, told_receiving] = last.expect("told");
            for (told, was) in [(told_sending, sending), (told_receiving, receiving)] {
                assert_eq!((told.key, told.salt), (was.key, was.salt));
                assert_eq!(told.profile, profile);
            }
        }
        assert!(told.0.lock().expect("nobody panics").is_empty());
    }
}

//! The keys of SRTP, as DTLS agrees on them.
//!
//! webrtc makes contexts of its own of them and shows them to nobody. But what it derives from a master
//! key it derives through its crypto provider, which is ours: first for what we send, then for what
//! we receive. The first block it encrypts under a master key is the master salt (RFC 3711 §4.3.1:
//! label 0 changes nothing), and the cipher it asks for next tells the profile. Nothing else of
//! webrtc's encrypts single blocks.

use std::sync::{Arc, Mutex, PoisonError};

use rtc::crypto::{
    self, ActiveKeyExchange, AeadAlgorithm, AeadCipher, BlockCipherAlgorithm, CbcAlgorithm,
    CbcCipher, CryptoAlgorithm, CryptoError, HashAlgorithm, HmacAlgorithm, KeyExchangeAlgorithm,
    Mac, PublicKey, RTCCrypto, RTCCryptoProvider, RTCRandom, SignatureScheme, SigningKey,
    StreamCipher, StreamCipherAlgorithm,
};

/// How packets are protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// RFC 7714.
    AeadAes128Gcm,
    /// RFC 3711, with a tag of 80 bits.
    Aes128CmHmacSha1,
}

/// Master key and salt of one direction.
#[derive(Clone)]
pub(crate) struct Master {
    pub(crate) profile: Profile,
    pub(crate) key: [u8; 16],
    /// Twelve bytes and two of zero for GCM.
    pub(crate) salt: [u8; 14],
}

impl Drop for Master {
    fn drop(&mut self) {
        self.key.fill(0);
        self.salt.fill(0);
        // So that they are filled indeed, though nobody reads them again.
        std::hint::black_box((&self.key, &self.salt));
    }
}

/// Takes the master keys of what is sent and of what is received.
pub(crate) trait Keys: Send + Sync {
    fn agreed(&self, sending: &Master, receiving: &Master, crypto: &dyn RTCCrypto);
}

/// webrtc's crypto provider for one peer, which tells the keys of SRTP.
pub(crate) struct Keyring {
    inner: Arc<dyn RTCCryptoProvider>,
    keys: Arc<dyn Keys>,
    heard: Mutex<Heard>,
}

#[derive(Default)]
struct Heard {
    /// A master key whose cipher has not been asked for.
    begun: Option<([u8; 16], [u8; 14])>,
    /// The last master key, from which more is derived afterwards.
    last: Option<[u8; 16]>,
    sending: Option<Master>,
}

impl Keyring {
    /// Stands before webrtc's default provider.
    pub(crate) fn new(keys: Arc<dyn Keys>) -> Result<Self, CryptoError> {
        Ok(Self {
            inner: crypto::default_provider()?,
            keys,
            heard: Mutex::default(),
        })
    }

    fn deriving(&self, algorithm: BlockCipherAlgorithm, key: &[u8], block: &[u8]) {
        let (Ok(key), Some(salt)) = (<[u8; 16]>::try_from(key), block.first_chunk()) else {
            return;
        };
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        if algorithm == BlockCipherAlgorithm::Aes128 && heard.last != Some(key) {
            heard.last = Some(key);
            heard.begun = Some((key, *salt));
        }
    }

    fn keyed(&self, profile: Profile) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        // DTLS has ciphers too, with keys of another making.
        let Some((key, salt)) = heard.begun.take() else {
            return;
        };
        let master = Master { profile, key, salt };
        match heard.sending.take() {
            None => heard.sending = Some(master),
            Some(sending) => {
                drop(heard);
                self.keys.agreed(&sending, &master, self.inner.crypto());
            }
        }
    }
}

impl RTCCryptoProvider for Keyring {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn crypto(&self) -> &dyn RTCCrypto {
        self
    }

    fn random(&self) -> &dyn RTCRandom {
        self.inner.random()
    }
}

impl RTCCrypto for Keyring {
    fn supports(&self, algorithm: CryptoAlgorithm) -> bool {
        self.inner.crypto().supports(algorithm)
    }

    fn hash(&self, algorithm: HashAlgorithm, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.inner.crypto().hash(algorithm, data)
    }

    fn block_encrypt(
        &self,
        algorithm: BlockCipherAlgorithm,
        key: &[u8],
        block: &mut [u8],
    ) -> Result<(), CryptoError> {
        self.deriving(algorithm, key, block);
        self.inner.crypto().block_encrypt(algorithm, key, block)
    }

    fn new_hmac(&self, algorithm: HmacAlgorithm, key: &[u8]) -> Result<Box<dyn Mac>, CryptoError> {
        self.inner.crypto().new_hmac(algorithm, key)
    }

    fn new_stream_cipher(
        &self,
        algorithm: StreamCipherAlgorithm,
        key: &[u8],
    ) -> Result<Box<dyn StreamCipher>, CryptoError> {
        self.keyed(Profile::Aes128CmHmacSha1);
        self.inner.crypto().new_stream_cipher(algorithm, key)
    }

    fn new_aead(
        &self,
        algorithm: AeadAlgorithm,
        key: &[u8],
    ) -> Result<Box<dyn AeadCipher>, CryptoError> {
        self.keyed(Profile::AeadAes128Gcm);
        self.inner.crypto().new_aead(algorithm, key)
    }

    fn new_cbc(
        &self,
        algorithm: CbcAlgorithm,
        key: &[u8],
    ) -> Result<Box<dyn CbcCipher>, CryptoError> {
        self.inner.crypto().new_cbc(algorithm, key)
    }

    fn start_key_exchange(
        &self,
        algorithm: KeyExchangeAlgorithm,
    ) -> Result<Box<dyn ActiveKeyExchange>, CryptoError> {
        self.inner.crypto().start_key_exchange(algorithm)
    }

    fn generate_signing_key(
        &self,
        scheme: SignatureScheme,
    ) -> Result<Arc<dyn SigningKey>, CryptoError> {
        self.inner.crypto().generate_signing_key(scheme)
    }

    fn import_signing_key(
        &self,
        scheme: SignatureScheme,
        pkcs8_der: &[u8],
    ) -> Result<Arc<dyn SigningKey>, CryptoError> {
        self.inner.crypto().import_signing_key(scheme, pkcs8_der)
    }

    fn verify_signature(
        &self,
        scheme: SignatureScheme,
        public_key: PublicKey<'_>,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        self.inner
            .crypto()
            .verify_signature(scheme, public_key, message, signature)
    }
}

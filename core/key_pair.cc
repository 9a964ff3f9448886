#include "core/key_pair.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

#include "core/secret.h"
#include "core/text.h"

namespace driftd {
namespace {

struct Free {
  void operator()(BIO* file) const { BIO_free(file); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

// What OpenSSL has to say here must not be found by whoever asks it next.
struct NoErrorsLeft {
  ~NoErrorsLeft() { ERR_clear_error(); }
};

Error unfit(const std::string& why) { return {ErrorCode::kInvalidArgument, why}; }

// Null when there is none. As libraries read it: with what OpenSSL calls a trusted certificate.
Owned<X509> certificate_in(const std::string& path) {
  const Owned<BIO> file(BIO_new_file(path.c_str(), "r"));
  return Owned<X509>(file ? PEM_read_bio_X509_AUX(file.get(), nullptr, no_passphrase, nullptr) : nullptr);
}

}  // namespace

int no_passphrase(char*, int, int, void*) { return 0; }

Status try_certificate(const std::string& path) {
  if (const Status s = try_file(path); !s) return s;
  const NoErrorsLeft none;
  if (certificate_in(path)) return {};
  return unfit("'" + excerpt(path) + "' holds no certificate in PEM");
}

Status try_key(const std::string& path, const std::string& cert_path) {
  if (const Status s = try_file(path); !s) return s;
  const NoErrorsLeft none;
  bool encrypted = false;
  const auto asked = [](char*, int, int, void* self) {
    *static_cast<bool*>(self) = true;
    return 0;
  };
  const Owned<BIO> file(BIO_new_file(path.c_str(), "r"));
  const Owned<EVP_PKEY> key(file ? PEM_read_bio_PrivateKey(file.get(), nullptr, asked, &encrypted) : nullptr);
  if (encrypted) return unfit("the key in '" + excerpt(path) + "' is encrypted; use one that is not, in a file that only driftd may read");
  if (!key) return unfit("'" + excerpt(path) + "' holds no private key in PEM");
  if (cert_path.empty()) return {};
  const Owned<X509> certificate = certificate_in(cert_path);
  if (certificate && X509_check_private_key(certificate.get(), key.get()) == 1) return {};
  return unfit("the key in '" + excerpt(path) + "' does not belong to the certificate in '" + excerpt(cert_path) +
               "'; name the two that were made together");
}

}  // namespace driftd

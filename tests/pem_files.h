// Certificates and keys of a test's own, in PEM.
#pragma once

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <string>

namespace driftd {

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;

inline Key make_key() { return Key(EVP_EC_gen("P-256")); }

// With a password it is encrypted.
inline void write_key(const std::string& path, const Key& key, const char* password = nullptr) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  EXPECT_EQ(PEM_write_PrivateKey(file, key.get(), password == nullptr ? nullptr : EVP_aes_128_cbc(), nullptr, 0, nullptr,
                                 const_cast<char*>(password)),
            1);
  std::fclose(file);
}

// Signed by itself.
inline void write_certificate(const std::string& path, const Key& key) {
  X509* x = X509_new();
  X509_set_version(x, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
  X509_gmtime_adj(X509_getm_notBefore(x), 0);
  X509_gmtime_adj(X509_getm_notAfter(x), 3600);
  X509_set_pubkey(x, key.get());
  X509_NAME* subject = X509_get_subject_name(x);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("driftd"), -1, -1, 0);
  X509_set_issuer_name(x, subject);
  EXPECT_GT(X509_sign(x, key.get(), EVP_sha256()), 0);
  std::FILE* file = std::fopen(path.c_str(), "w");
  EXPECT_EQ(PEM_write_X509(file, x), 1);
  std::fclose(file);
  X509_free(x);
}

// A certificate and what does not go with it: `cert`, its `key`, the same `encrypted`, one of an`other`, and `text` that is neither.
inline void write_pem_files(const std::string& folder) {
  const Key key = make_key();
  write_key(folder + "/key", key);
  write_key(folder + "/encrypted", key, "s3cret");
  write_certificate(folder + "/cert", key);
  write_key(folder + "/other", make_key());
  std::ofstream(folder + "/text") << "TopSecretText\n";
}

}  // namespace driftd

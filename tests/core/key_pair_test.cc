#include "core/key_pair.h"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/pem_files.h"

namespace driftd {
namespace {

class KeyPairTest : public ::testing::Test {
 protected:
  KeyPairTest() : folder_(testing::TempDir() + "driftd_key_pair_" + std::to_string(getpid())) {
    std::filesystem::create_directories(folder_);
    write_pem_files(folder_);
    std::ofstream(file("broken")) << "-----BEGIN PRIVATE KEY-----\nVG9wU2VjcmV0VGV4dA==\n-----END PRIVATE KEY-----\n";
  }
  ~KeyPairTest() override { std::filesystem::remove_all(folder_); }
  std::string file(const std::string& name) const { return folder_ + "/" + name; }
  std::string folder_;
};

std::string said(const Status& s) {
  EXPECT_EQ(ERR_peek_error(), 0U) << "left in OpenSSL's queue";
  return s ? "" : s.error().message;
}

TEST_F(KeyPairTest, ThatFitsIsTaken) {
  EXPECT_EQ(said(try_certificate(file("cert"))), "");
  EXPECT_EQ(said(try_key(file("key"), file("cert"))), "");
  EXPECT_EQ(said(try_key(file("other"), "")), "") << "the key of any certificate";
}

TEST_F(KeyPairTest, BothMayStandInOneFileAsMayAChain) {
  std::ofstream(file("both")) << std::ifstream(file("key")).rdbuf() << std::ifstream(file("cert")).rdbuf();
  EXPECT_EQ(said(try_certificate(file("both"))), "");
  EXPECT_EQ(said(try_key(file("both"), file("both"))), "");
  write_certificate(file("authority"), make_key());
  std::ofstream(file("chain")) << std::ifstream(file("cert")).rdbuf() << std::ifstream(file("authority")).rdbuf();
  EXPECT_EQ(said(try_key(file("key"), file("chain"))), "");
}

TEST_F(KeyPairTest, WhatCannotBeUsedIsSaidWithItsFile) {
  for (const char* name : {"absent", "text", "key", "broken"}) {
    const std::string why = said(try_certificate(file(name)));
    EXPECT_NE(why.find("'" + file(name) + "'"), std::string::npos) << name << ": " << why;
  }
  for (const auto& [name, wanted] : {std::pair{"absent", "No such file"},
                                     {"text", "holds no private key"},
                                     {"broken", "holds no private key"},
                                     {"cert", "holds no private key"},
                                     {"encrypted", "is encrypted; use one that is not"},
                                     {"other", "does not belong to the certificate in '"}}) {
    const std::string why = said(try_key(file(name), file("cert")));
    EXPECT_NE(why.find("'" + file(name) + "'"), std::string::npos) << why;
    EXPECT_NE(why.find(wanted), std::string::npos) << why;
    for (const char* secret : {"TopSecret", "VG9wU2"}) EXPECT_EQ(why.find(secret), std::string::npos) << why;
  }
}

TEST_F(KeyPairTest, ACertificateThatIsNoneHasNoKey) { EXPECT_NE(said(try_key(file("key"), file("text"))), ""); }

}  // namespace
}  // namespace driftd

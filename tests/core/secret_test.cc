#include "core/secret.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace driftd {
namespace {

class SecretTest : public ::testing::Test {
 protected:
  SecretTest() : folder_(testing::TempDir() + "driftd_secret_" + std::to_string(getpid())) {
    std::filesystem::create_directories(folder_);
    unsetenv("CREDENTIALS_DIRECTORY");
  }
  ~SecretTest() override {
    unsetenv("CREDENTIALS_DIRECTORY");
    std::filesystem::remove_all(folder_);
  }
  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ + "/" + name) << text;
    return folder_ + "/" + name;
  }
  std::string folder_;
};

TEST_F(SecretTest, IsTheFirstLineOfAFile) {
  EXPECT_EQ(read_secret(write("a", "s3cret\nmore")).value(), "s3cret");
  EXPECT_EQ(read_secret(write("b", "s3cret\r\n")).value(), "s3cret");
  EXPECT_EQ(read_secret(write("c", "")).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(read_secret(folder_ + "/absent").error().code, ErrorCode::kNotFound);
}

TEST_F(SecretTest, AFileOfCertificatesCanBeReadOrNot) {
  EXPECT_TRUE(try_file(write("a", "\n")).ok());
  EXPECT_NE(try_file(folder_ + "/absent").error().message.find("No such file"), std::string::npos);
  EXPECT_NE(try_file(folder_).error().message.find("directory"), std::string::npos) << try_file(folder_).error().message;
  EXPECT_NE(try_file(write("empty", "")).error().message.find("empty"), std::string::npos);
}

TEST_F(SecretTest, OrACredentialOfSystemd) {
  write("db", "from systemd\n");
  const Error without = read_secret("credential:db").error();
  EXPECT_EQ(without.code, ErrorCode::kNotFound);
  EXPECT_NE(without.message.find("LoadCredential=db:"), std::string::npos) << without.message;
  setenv("CREDENTIALS_DIRECTORY", folder_.c_str(), 1);
  EXPECT_EQ(read_secret("credential:db").value(), "from systemd");
  EXPECT_EQ(secret_file("credential:db").value(), folder_ + "/db");
  EXPECT_EQ(read_secret("credential:absent").error().code, ErrorCode::kNotFound);
  for (const char* bad : {"credential:", "credential:../db", "credential:..", "credential:a/b"}) {
    EXPECT_EQ(secret_file(bad).error().code, ErrorCode::kInvalidArgument) << bad;
  }
}

}  // namespace
}  // namespace driftd

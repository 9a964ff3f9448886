// Which versions of libmosquitto are taken, and what is told it of TLS; what the client does is in mqtt_source_test.cc.
#include "ingest/mqtt_client.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <array>
#include <fstream>

#include "ingest/source.h"
#include "tests/ingest/source_harness.h"
#include "tests/ingest/temp_folder.h"
#include "tests/pem_files.h"

namespace {
using Passphrase = int (*)(char* buffer, int size, int writing, void* data);
int pretended_version = 0;              // of the library, for the whole test program; 0: its own
Passphrase given_passphrase = nullptr;  // to the library by the last client with a certificate
}  // namespace

// These stand in for the library's.
extern "C" __attribute__((used)) int mosquitto_lib_version(int* major, int* minor, int* revision) {
  using Version = int (*)(int*, int*, int*);
  static const auto own = reinterpret_cast<Version>(::dlsym(RTLD_NEXT, "mosquitto_lib_version"));
  return pretended_version != 0 ? pretended_version : own(major, minor, revision);
}
extern "C" __attribute__((used)) int mosquitto_tls_set(mosquitto* client, const char* ca_file, const char* ca_path, const char* cert_file,
                                                       const char* key_file, Passphrase passphrase) {
  static const auto own = reinterpret_cast<decltype(&mosquitto_tls_set)>(::dlsym(RTLD_NEXT, "mosquitto_tls_set"));
  given_passphrase = passphrase;
  return own(client, ca_file, ca_path, cert_file, key_file, passphrase);
}

namespace driftd::ingest {
namespace {

class MqttClientTest : public ::testing::Test {
 protected:
  void TearDown() override { pretended_version = 0; }
  static std::string refusal() {
    MqttSettings settings;
    settings.client_id = "c";
    const auto made = MqttClient::make(settings, {});
    return made ? "" : made.error().message;
  }
};

TEST_F(MqttClientTest, TakesOnlyVersionsThatAreTested) {
  for (const int tested : {2'000'011, 2'000'012, 2'000'022, 2'000'999}) EXPECT_TRUE(check_mqtt_version(tested).ok()) << tested;
  for (const int other : {0, 1'006'012, 2'000'000, 2'000'010, 2'001'000, 2'001'002, 3'000'000, -1})
    EXPECT_FALSE(check_mqtt_version(other).ok()) << other;
}

TEST_F(MqttClientTest, TakesTheLibraryThatTheTestsRunWith) { EXPECT_EQ(refusal(), ""); }

TEST_F(MqttClientTest, RefusesAnotherLibraryAndSaysWhatToDo) {
  pretended_version = 2'001'002;
  for (const char* part : {"libmosquitto 2.1.2", "2.0.11", "2.1.0", "before they are on the disk", "install"})
    EXPECT_NE(refusal().find(part), std::string::npos) << refusal();
}

TEST_F(MqttClientTest, NothingStartsWithAnotherLibrary) {
  const Node config = Node::map({{"url", Node::text("mqtt://b")}, {"topics", Node::text("a")}, {"client_id", Node::text("c")}});
  ErrorList problems;
  SourceContext context;
  context.data_dir = "/nowhere";
  EXPECT_TRUE(make_source("mqtt", config, context).ok());
  pretended_version = 2'000'010;
  const auto refused = make_source("mqtt", config, context);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("libmosquitto 2.0.10"), std::string::npos) << refused.error().message;
  context.problems = &problems;
  EXPECT_FALSE(make_source("mqtt", config, context).ok());
  EXPECT_EQ(problems.errors().size(), 1U) << "for `driftd check`";
}

// Without a callback OpenSSL asks the terminal, and the stream waits for an answer.
TEST_F(MqttClientTest, NobodyIsAskedForThePassphraseOfAKey) {
  const TempFolder folder;
  MqttSettings settings;
  settings.client_id = "c";
  settings.tls = true;
  settings.cert_file = settings.key_file = folder.path() + "/pem";
  std::ofstream(settings.key_file) << "PEM";
  const auto made = MqttClient::make(settings, {});
  ASSERT_TRUE(made.ok()) << made.error().message;
  ASSERT_NE(given_passphrase, nullptr);
  std::array<char, 16> buffer{};
  EXPECT_EQ(given_passphrase(buffer.data(), buffer.size(), 0, nullptr), 0);
}

TEST_F(MqttClientTest, FilesThatNoLongerFitAreNamedBeforeItConnects) {
  const TempFolder folder;
  MqttSettings settings;
  settings.host = "127.0.0.1";
  settings.port = 1;
  settings.client_id = "c";
  settings.tls = true;
  settings.cert_file = folder.path() + "/cert";
  settings.key_file = folder.path() + "/key";
  const Key key = make_key();
  write_certificate(settings.cert_file, key);
  write_key(settings.key_file, key);
  const auto made = MqttClient::make(settings, {});
  ASSERT_TRUE(made.ok()) << made.error().message;
  const auto refused = [&] {
    const Status connected = (*made)->connect();
    return connected ? "" : connected.error().message;
  };
  EXPECT_EQ(refused().find("key_file"), std::string::npos) << refused();
  write_key(settings.key_file, make_key());
  EXPECT_NE(refused().find("mqtt: key_file: the key in '" + settings.key_file + "' does not belong"), std::string::npos) << refused();
  std::ofstream(settings.cert_file) << "no certificate";
  EXPECT_NE(refused().find("mqtt: cert_file: '" + settings.cert_file + "'"), std::string::npos) << refused();
}

}  // namespace
}  // namespace driftd::ingest

#include "alerts/webhook_signature.h"

#include <gtest/gtest.h>

namespace driftd::alerts {
namespace {

// The vector that the Standard Webhooks libraries share; computed again with Python's hmac.
TEST(WebhookSignature, KnownVector) {
  const auto key = decode_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n");
  ASSERT_TRUE(key.ok());
  EXPECT_EQ(key->size(), 24U);
  EXPECT_EQ(webhook_signature({*key}, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, R"({"test": 2432232314})"),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(WebhookSignature, SeveralKeysForRotation) {
  const auto key = decode_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  const std::string one = webhook_signature({*key}, "id", 1, "x");
  const std::string other = webhook_signature({"another secret, 30 bytes long."}, "id", 1, "x");
  EXPECT_NE(one, other);
  EXPECT_EQ(webhook_signature({*key, "another secret, 30 bytes long."}, "id", 1, "x"), one + " " + other);
}

TEST(WebhookSignature, SecretsAreReadOrRefused) {
  struct {
    const char* text;
    std::size_t size;  // of the key; 0: refused
  } const cases[] = {
      {"0123456789abcdef01234567", 24},                 // plain, at the bound
      {"  0123456789abcdef01234567\r\n", 24},           // trimmed
      {"0123456789abcdef0123456", 0},                   // plain, too short
      {"", 0},                                          //
      {"\n", 0},                                        //
      {"whsec_", 0},                                    //
      {"whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 24},   // base64 of 24 bytes
      {"whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", 0},    // of 23
      {"whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 0},  // no padding
      {"whsec_this is not base64 at all, is it", 0},    //
      {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS!", 0},    //
  };
  for (const auto& c : cases) {
    const auto key = decode_secret(c.text);
    EXPECT_EQ(key.ok() ? key->size() : 0, c.size) << c.text;
    if (!key) {
      EXPECT_EQ(key.error().message.find("base64 at all"), std::string::npos) << "the secret is not repeated";
    }
  }
  EXPECT_TRUE(decode_secret(std::string(256, 'x')).ok());
  EXPECT_FALSE(decode_secret(std::string(257, 'x')).ok());
}

}  // namespace
}  // namespace driftd::alerts

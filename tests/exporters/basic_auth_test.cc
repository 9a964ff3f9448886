#include "exporters/basic_auth.h"

#include <crypt.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <algorithm>

#include <algorithm>
#include <ctime>

#include "core/clock.h"

namespace driftd::exporters {
namespace {

std::string bcrypt(const std::string& password, const char* kind = "$2b$", unsigned cost = 4) {
  char salt[CRYPT_GENSALT_OUTPUT_SIZE];
  crypt_gensalt_rn(kind, cost, "0123456789abcdef", 16, salt, sizeof salt);
  crypt_data work{};
  return crypt_r(password.c_str(), salt, &work);
}

std::string basic(const std::string& credentials) {
  std::string out(credentials.size() * 2 + 8, '\0');
  out.resize(EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), reinterpret_cast<const unsigned char*>(credentials.data()),
                             static_cast<int>(credentials.size())));
  return "Basic " + out;
}

TEST(BasicAuth, TakesTheRightPasswordOnly) {
  BasicAuth auth({{"prom", bcrypt("right")}, {"other", bcrypt("p:w", "$2y$")}, {"a", bcrypt("x", "$2a$")}});
  EXPECT_TRUE(auth.check(basic("prom:right")));
  EXPECT_TRUE(auth.check(basic("other:p:w")));
  EXPECT_TRUE(auth.check(basic("a:x")));
  const std::string right = basic("prom:right");
  EXPECT_TRUE(auth.check("bAsIc " + right.substr(5)));
  const std::string nul("prom:right\0x", 12);
  for (const std::string& wrong : {basic("prom:wrong"), basic("prom:"), basic("nobody:right"), basic(":right"), basic("prom"), basic(nul),
                                   basic("prom:" + std::string(700, 'x')), basic(std::string(5000, 'x')), std::string("Bearer abc"),
                                   std::string("Basic"), std::string("Basic "), std::string("Basic ===="), std::string("Basic !!!!"),
                                   std::string("Basic cHJvbTpyaWdodA="), std::string(), right.substr(6)}) {
    EXPECT_FALSE(auth.check(wrong)) << wrong.substr(0, 60);
    EXPECT_FALSE(auth.known(wrong)) << wrong.substr(0, 60);
  }
}

// Of this thread: others take their turns meanwhile.
Duration cpu_now() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * kSecond + now.tv_nsec;
}

TEST(BasicAuth, RemembersWhatWentWell) {
  BasicAuth auth({{"prom", bcrypt("right", "$2b$", 8)}});
  EXPECT_FALSE(auth.known(basic("prom:right")));
  const Duration from = cpu_now();
  EXPECT_TRUE(auth.check(basic("prom:right")));
  const Duration once = cpu_now() - from;
  EXPECT_TRUE(auth.known(basic("prom:right")));
  EXPECT_FALSE(auth.known(basic("prom:righ")));
  const Duration again = cpu_now();
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(auth.check(basic("prom:right")));
  EXPECT_LT(cpu_now() - again, once);
}

TEST(BasicAuth, ItsMemoryIsBounded) {
  std::map<std::string, std::string> users;
  const std::string hash = bcrypt("pw");
  for (std::size_t i = 0; i <= BasicAuth::kMaxCached; ++i) users["u" + std::to_string(i)] = hash;
  BasicAuth auth(users);
  for (const auto& [user, unused] : users) EXPECT_TRUE(auth.check(basic(user + ":pw")));
  std::size_t known = 0;
  for (const auto& [user, unused] : users) known += auth.known(basic(user + ":pw")) ? 1 : 0;
  EXPECT_GT(known, 0U);
  EXPECT_LE(known, BasicAuth::kMaxCached);
}

TEST(BasicAuth, AnUnknownUserCostsAsMuch) {
  BasicAuth auth({{"prom", bcrypt("right", "$2b$", 9)}});
  const auto time = [&](const std::string& credentials) {
    const Duration from = cpu_now();
    EXPECT_FALSE(auth.check(basic(credentials)));
    return static_cast<double>(cpu_now() - from);
  };
  double wrong = time("prom:wrong"), unknown = time("nobody:wrong");
  for (int i = 0; i < 3; ++i) {  // the least of several: the processor may be lent to others
    wrong = std::min(wrong, time("prom:wrong"));
    unknown = std::min(unknown, time("nobody:wrong"));
  }
  EXPECT_GT(unknown, wrong / 4);
}

TEST(BasicAuth, KnowsWhatABcryptHashIs) {
  const std::string good = bcrypt("x");
  EXPECT_EQ(bcrypt_problem(good), "");
  for (const std::string& bad : {std::string(), std::string("secret"), good.substr(1), good + "x", "$2x$" + good.substr(4),
                                 "$1$" + good.substr(3), good.substr(0, 59) + ":"}) {
    EXPECT_EQ(bcrypt_problem(bad), "is no bcrypt hash") << bad;
  }
  for (const char* cost : {"03", "17", "31", "xx"}) {
    EXPECT_NE(bcrypt_problem("$2b$" + std::string(cost) + good.substr(6)), "") << cost;
  }
  EXPECT_EQ(bcrypt_problem("$2b$16" + good.substr(6)), "");
}

}  // namespace
}  // namespace driftd::exporters

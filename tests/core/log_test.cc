#include "core/log.h"

#include <gtest/gtest.h>

#include <regex>

namespace driftd::log {
namespace {

class LogTest : public ::testing::Test {
 protected:
  void TearDown() override { set_level(Level::kInfo); }
  template <class Write>
  static std::string written(const Write& write) {
    ::testing::internal::CaptureStderr();
    write();
    return ::testing::internal::GetCapturedStderr();
  }
};

TEST_F(LogTest, OneLineAnEventWithTimeLevelAndPairs) {
  const std::string line = written([] { warning("source: no server", {{"stream", "s"}, {"n", "3"}}); });
  EXPECT_TRUE(
      std::regex_match(line, std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d warning source: no server stream=s n=3\n)")))
      << line;
}

// A reader that splits at blanks and '=' must not be led astray by a value.
TEST_F(LogTest, ValuesThatNeedItAreQuoted) {
  for (const auto& [value, expected] : {std::pair<const char*, const char*>{"plain", "k=plain\n"},
                                        {"", "k=\"\"\n"},
                                        {"a b", "k=\"a b\"\n"},
                                        {"a=b", "k=\"a=b\"\n"},
                                        {"a\nb", "k=\"a\\nb\"\n"},
                                        {"a\tb", "k=\"a\\tb\"\n"},
                                        {"a\rb", "k=\"a\\rb\"\n"},
                                        {"a\x1b]0;b\a", "k=\"a\\u001b]0;b\\u0007\"\n"},
                                        {"a\"b", "k=\"a\\\"b\"\n"}}) {
    const std::string line = written([&] { error("m", {{"k", value}}); });
    EXPECT_TRUE(line.ends_with(std::string(" m ") + expected)) << line;
  }
}

TEST_F(LogTest, BracesAreNoFormat) {
  EXPECT_NE(written([] { info("{} {0} {", {{"k", "{}"}}); }).find("{} {0} { k={}\n"), std::string::npos);
}

TEST_F(LogTest, LevelsBelowTheOneThatIsSetAreSilent) {
  const auto lines = [] {
    return written([] {
      debug("d");
      info("i");
      warning("w");
      error("e");
    });
  };
  const auto count = [&] {
    const std::string text = lines();
    return std::count(text.begin(), text.end(), '\n');
  };
  EXPECT_EQ(count(), 3) << "info when nothing was set";
  set_level(Level::kDebug);
  EXPECT_EQ(count(), 4);
  set_level(Level::kWarning);
  EXPECT_EQ(count(), 2);
  set_level(Level::kError);
  EXPECT_EQ(count(), 1);
  set_level(Level::kOff);
  EXPECT_EQ(count(), 0);
}

}  // namespace
}  // namespace driftd::log

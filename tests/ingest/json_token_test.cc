#include "ingest/json_token.h"

#include <gtest/gtest.h>

namespace driftd::ingest {
namespace {

TEST(JsonToken, StringBodiesEndAtTheirOwnQuote) {
  const auto body = [](std::string_view s) { return std::string(string_body(s.data(), s.data() + s.size())); };
  EXPECT_EQ(body("abc\"rest"), "abc");
  EXPECT_EQ(body("\""), "");
  EXPECT_EQ(body(R"(a\"b"rest)"), R"(a\"b)");
  EXPECT_EQ(body(R"(a\\"rest)"), R"(a\\)");
  EXPECT_EQ(body("open"), "open");
  EXPECT_EQ(body("open\\"), "open\\") << "an escape at the end does not read on";
  EXPECT_EQ(body(""), "");
}

TEST(JsonToken, EscapesOfTheStandard) {
  const auto text = [](const char* escaped) {
    std::string out = "old";
    return unescape(escaped, out) ? out : "refused";
  };
  EXPECT_EQ(text(""), "");
  EXPECT_EQ(text(R"(a\"\\\/\b\f\n\r\tz)"), "a\"\\/\b\f\n\r\tz");
  EXPECT_EQ(text(R"(\u0041\u00e9\u20AC)"), "A\xc3\xa9\xe2\x82\xac");
  EXPECT_EQ(text(R"(\u007f\u0080\u07ff\u0800\uffff)"), "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf");
  EXPECT_EQ(text(R"(\ud83d\ude00)"), "\xf0\x9f\x98\x80");
  EXPECT_EQ(text(R"(\udbff\udfff)"), "\xf4\x8f\xbf\xbf");
  EXPECT_EQ(text(R"(\ud800\udc00)"), "\xf0\x90\x80\x80");
  std::string nul;
  ASSERT_TRUE(unescape(R"(a\u0000b)", nul));
  EXPECT_EQ(nul, std::string("a\0b", 3));
}

TEST(JsonToken, DamagedEscapesAreRefused) {
  std::string out;
  for (const char* damaged : {"\\", "a\\", R"(\x)", R"(\u)", R"(\u12)", R"(\u123)", R"(\u12g4)", R"(\ud83d)", R"(\ud83dx)", R"(\ud83d\n)",
                              R"(\ud83d\u)", R"(\ud83d\u0041)", R"(\ude00)", R"(\ud83d\ud83d)"})
    EXPECT_FALSE(unescape(damaged, out)) << damaged;
}

TEST(JsonToken, NumbersOfTheStandard) {
  for (const char* number : {"0", "-0", "7", "-12", "10", "0.5", "1.25", "1e5", "1E+5", "1e-05", "-0.0e0", "1e400"})
    EXPECT_TRUE(is_json_number(number)) << number;
  for (const char* other : {"",   "-",  "+1",  "01",       "-01",       "1.", ".5", "1.e5",  "1e",  "1e+",  "0x1",
                            "1 ", " 1", "NaN", "Infinity", "-Infinity", "1,", "1f", "1.2.3", "--1", "1e5.0"})
    EXPECT_FALSE(is_json_number(other)) << other;
  for (const char* integer : {"0", "-0", "-12", "99999999999999999999"}) EXPECT_TRUE(is_json_integer(integer)) << integer;
  for (const char* other : {"", "-", "01", "1.0", "1e5", "1 "}) EXPECT_FALSE(is_json_integer(other)) << other;
}

TEST(JsonToken, NestingCountsBracketsOutsideStrings) {
  for (const auto& [json, depth] : {std::pair<const char*, std::size_t>{"1", 0},
                                    {"{}", 1},
                                    {"[[],[[]]]", 3},
                                    {R"({"a":"[[[[","b":[{}]})", 3},
                                    {R"({"a\"[":1})", 1},
                                    {R"(["\\"])", 1},
                                    {R"(["\\",[]])", 2},
                                    {"]]]][", 1},
                                    {"\"[[", 0}}) {
    EXPECT_EQ(nesting(json), depth) << json;
  }
}

TEST(JsonToken, TrimsWhatFollows) {
  EXPECT_EQ(trimmed("1 \n\t"), "1");
  EXPECT_EQ(trimmed(" 1"), " 1");
  EXPECT_EQ(trimmed("  "), "");
  EXPECT_EQ(trimmed("\xc3\xa9"), "\xc3\xa9");
}

}  // namespace
}  // namespace driftd::ingest

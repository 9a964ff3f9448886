#include "ingest/json_body.h"

#include <gtest/gtest.h>

namespace driftd::ingest {
namespace {

using Texts = std::vector<std::string>;

Texts split(const std::string& body, BodyForm form) {
  JsonBody parser;
  const auto parts = parser.split(body, form);
  if (!parts) return {"error"};
  Texts out;
  for (const auto part : *parts) {
    EXPECT_GE(part.data(), body.data());
    out.emplace_back(part);
  }
  return out;
}

TEST(JsonBody, ContentTypes) {
  EXPECT_EQ(body_form("application/json"), BodyForm::kDocument);
  EXPECT_EQ(body_form("Application/JSON; charset=utf-8"), BodyForm::kDocument);
  EXPECT_EQ(body_form("application/vnd.acme+json"), BodyForm::kDocument);
  EXPECT_EQ(body_form("application/x-ndjson"), BodyForm::kLines);
  EXPECT_EQ(body_form("text/plain ; charset=utf-8"), BodyForm::kLines);
  EXPECT_EQ(body_form(""), BodyForm::kGuess);
  EXPECT_EQ(body_form("application/x-www-form-urlencoded"), BodyForm::kGuess);
  EXPECT_EQ(body_form("text/csv"), std::nullopt);
  EXPECT_EQ(body_form("application/cloudevents+json"), std::nullopt);
  EXPECT_EQ(body_form("Application/CloudEvents-Batch+JSON; charset=utf-8"), std::nullopt);
}

TEST(JsonBody, ADocumentIsAnObjectOrAnArray) {
  const auto kDocument = BodyForm::kDocument;
  EXPECT_EQ(split(R"( {"a":1} )", kDocument), (Texts{R"({"a":1})"}));
  EXPECT_EQ(split(R"([{"a":[1,{"b":2}]}, {"c":"]"}])", kDocument), (Texts{R"({"a":[1,{"b":2}]})", R"({"c":"]"})"}));
  EXPECT_EQ(split("[]", kDocument), Texts{});
  EXPECT_EQ(split(R"([{"a":1}, 7, "x", null, [1]])", kDocument), (Texts{R"({"a":1})", "7", R"("x")", "null", "[1]"}))
      << "what is no object costs itself, later";
  for (const char* bad : {"", "  \n", "7", "\"x\"", "{\"a\":1", "[{\"a\":1}", "[{\"a\":1}] x", "{\"a\":1}{\"b\":2}", "{", "]", "\xff"}) {
    EXPECT_EQ(split(bad, kDocument), Texts{"error"}) << bad;
  }
}

TEST(JsonBody, LinesAreRecordsWhateverIsInThem) {
  EXPECT_EQ(split("{\"a\":1}\n\n{\"b\"\r\n  \n7", BodyForm::kLines), (Texts{"{\"a\":1}", "{\"b\"", "7"}));
}

TEST(JsonBody, WithoutAContentTypeTheFirstByteDecides) {
  EXPECT_EQ(split("[1,2]", BodyForm::kGuess), (Texts{"1", "2"}));
  EXPECT_EQ(split("{\"a\":1}\n{\"a\":2}\n", BodyForm::kGuess), (Texts{"{\"a\":1}", "{\"a\":2}"}));
}

TEST(JsonBody, WithoutAContentTypeAnObjectMayHaveManyLines) {
  const std::string pretty = "{\n  \"a\": 1,\n  \"b\": {\"c\": [2,\n3]}\n}";
  EXPECT_EQ(split(pretty + "\n", BodyForm::kGuess), Texts{pretty});
  EXPECT_EQ(split("\n" + pretty, BodyForm::kGuess), Texts{pretty});
  // Not one object: each line is a record, and a bad one costs itself.
  EXPECT_EQ(split("{\"a\":1}\n{\"b\"", BodyForm::kGuess), (Texts{"{\"a\":1}", "{\"b\""}));
  EXPECT_EQ(split("{\"a\"\n{\"b\":1}", BodyForm::kGuess), (Texts{"{\"a\"", "{\"b\":1}"}));
  EXPECT_EQ(split("{\"a\":1}\n7", BodyForm::kGuess), (Texts{"{\"a\":1}", "7"}));
}

TEST(JsonBody, HasSoManyRecordsAndNotOneMore) {
  const auto lines = [](std::size_t n) {
    std::string out;
    for (std::size_t i = 0; i < n; ++i) out += "1\n\n";
    return out;
  };
  const auto array = [](std::size_t n) {
    std::string out = "[";
    for (std::size_t i = 0; i < n; ++i) out += i == 0 ? "1" : ",1";
    return out + "]";
  };
  JsonBody parser;
  for (const BodyForm form : {BodyForm::kDocument, BodyForm::kGuess}) {
    const std::string most = array(kMaxBodyRecords), over = array(kMaxBodyRecords + 1);
    EXPECT_EQ(parser.split(most, form).value().size(), kMaxBodyRecords);
    const auto refused = parser.split(over, form);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::kExhausted);
    EXPECT_NE(refused.error().message.find("100000"), std::string::npos) << refused.error().message;
  }
  for (const BodyForm form : {BodyForm::kLines, BodyForm::kGuess}) {
    const std::string most = lines(kMaxBodyRecords), over = lines(kMaxBodyRecords + 1);
    EXPECT_EQ(parser.split(most, form).value().size(), kMaxBodyRecords) << "blank lines are no records";
    const auto refused = parser.split(over, form);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::kExhausted);
  }
}

TEST(JsonBody, ALargeBodyLeavesAParserThatGoesOn) {
  JsonBody parser;
  const std::string large = "[{\"a\":\"" + std::string(2 << 20, 'x') + "\"},7]";
  const auto parts = parser.split(large, BodyForm::kDocument);
  ASSERT_EQ(parts.value().size(), 2U);
  EXPECT_EQ(parts.value()[0], std::string_view(large).substr(1, large.size() - 4));
  EXPECT_EQ(parser.split("[{}]", BodyForm::kDocument).value().size(), 1U);
}

TEST(JsonBody, AParserThatMetGarbageGoesOn) {
  JsonBody parser;
  EXPECT_FALSE(parser.split("{\"a\":", BodyForm::kDocument).ok());
  EXPECT_EQ(parser.split("[{}]", BodyForm::kDocument).value().size(), 1U);
}

}  // namespace
}  // namespace driftd::ingest

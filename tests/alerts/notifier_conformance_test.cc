// What every registered notifier must do, whatever it talks to.
#include <gtest/gtest.h>

#include "notifier_harness.h"

namespace driftd::alerts {
namespace {

using R = Delivery::Result;

bool over_http(const Descriptor& d) { return has_param(d, "url") || has_param(d, "urls"); }

std::vector<std::string> http_names() {
  std::vector<std::string> names;
  for (const auto& unit : notifiers().units()) {
    if (over_http(unit.descriptor)) names.push_back(unit.descriptor.name);
  }
  return names;
}

class EveryNotifier : public testing::TestWithParam<std::string> {
 protected:
  const Descriptor& descriptor() const { return notifiers().find(GetParam())->descriptor; }
  ManualClock clock_{kDay0 + kHour};
};
class EveryHttpNotifier : public EveryNotifier {};

TEST_P(EveryNotifier, IsDocumented) {
  const Descriptor& d = descriptor();
  EXPECT_EQ(d.name, GetParam());
  for (const std::string* text : {&d.summary, &d.applies_to, &d.source, &d.example, &d.notes}) {
    EXPECT_FALSE(text->empty());
  }
  EXPECT_TRUE(d.summary.ends_with("."));
  EXPECT_EQ(d.example.find("type: " + d.name), 0U);
  for (const ParamSpec& p : d.params) {
    EXPECT_FALSE(p.sentence.empty()) << p.name;
    EXPECT_FALSE(p.sentence.ends_with(".")) << p.name;
  }
}

TEST_P(EveryNotifier, DeliversToAServerThatAccepts) {
  HttpServer server;
  auto notifier = make_notifier(GetParam(), server.url(), clock_);
  ASSERT_TRUE(notifier.ok()) << notifier.error().message;
  for (const char* type : {"alert.firing", "alert.updated", "alert.resolved"}) {
    EXPECT_EQ((*notifier)->send(sample_message(type), Deadline::after(30 * kSecond)).result, R::kDelivered);
  }
  EXPECT_EQ(server.requests().size(), over_http(descriptor()) ? 3U : 0U);
}

TEST_P(EveryHttpNotifier, ClassifiesStatusCodes) {
  HttpServer server;
  auto notifier = make_notifier(GetParam(), server.url(), clock_);
  ASSERT_TRUE(notifier.ok());
  const std::vector<std::pair<int, R>> table = {
      {200, R::kDelivered}, {201, R::kDelivered}, {202, R::kDelivered}, {204, R::kDelivered}, {301, R::kRejected}, {302, R::kRejected},
      {307, R::kRejected},  {308, R::kRejected},  {400, R::kRejected},  {401, R::kRetry},     {402, R::kRejected}, {403, R::kRetry},
      {404, R::kRetry},     {405, R::kRejected},  {407, R::kRetry},     {408, R::kRetry},     {409, R::kRejected}, {410, R::kGone},
      {413, R::kRejected},  {415, R::kRejected},  {421, R::kRetry},     {422, R::kRejected},  {423, R::kRetry},    {425, R::kRetry},
      {429, R::kRetry},     {500, R::kRetry},     {502, R::kRetry},     {503, R::kRetry},     {504, R::kRetry}};
  for (const auto& [status, expected] : table) {
    server.answer(status, "Retry-After: 7\r\nLocation: " + server.url() + "/other\r\n");
    const std::size_t before = server.requests().size();
    const Delivery d = (*notifier)->send(sample_message(), Deadline::after(30 * kSecond));
    EXPECT_EQ(d.result, expected) << status << ": " << d.detail;
    EXPECT_EQ(d.after, expected == R::kRetry ? 7 * kSecond : 0) << status;
    EXPECT_NE(d.detail.find(std::to_string(status)), std::string::npos) << d.detail;
    EXPECT_EQ(server.requests().size(), before + 1) << status << ": one request, no redirect";
  }
}

TEST_P(EveryHttpNotifier, NeverBlocksPastTheDeadline) {
  HttpServer server;
  server.hang(true);
  auto notifier = make_notifier(GetParam(), server.url(), clock_);
  const Duration start = monotonic_now();
  const Delivery d = (*notifier)->send(sample_message(), Deadline::after(300 * kMillisecond));
  EXPECT_EQ(d.result, R::kRetry);
  EXPECT_LT(monotonic_now() - start, 10 * kSecond);
  const Delivery late = (*notifier)->send(sample_message(), Deadline::after(0));
  EXPECT_EQ(late.result, R::kRetry) << "a deadline that has passed is no endless wait";
}

TEST_P(EveryHttpNotifier, AServerThatIsNotThereIsTriedAgain) {
  std::string url;
  {
    HttpServer closed;
    url = closed.url();
  }
  auto notifier = make_notifier(GetParam(), url, clock_);
  const Delivery d = (*notifier)->send(sample_message(), Deadline::after(30 * kSecond));
  EXPECT_EQ(d.result, R::kRetry);
  EXPECT_FALSE(d.detail.empty());
}

TEST_P(EveryHttpNotifier, RefusesWrongUrls) {
  for (const char* url : {"localhost:1", "ftp://h/", "http://u:pa55word@h/"}) {
    const auto made = make_notifier(GetParam(), url, clock_);
    ASSERT_FALSE(made.ok()) << url;
    EXPECT_EQ(made.error().message.find("pa55word"), std::string::npos);
  }
}

INSTANTIATE_TEST_SUITE_P(Registered, EveryNotifier, testing::ValuesIn(notifiers().names()), [](const auto& one) { return one.param; });

INSTANTIATE_TEST_SUITE_P(Registered, EveryHttpNotifier, testing::ValuesIn(http_names()), [](const auto& one) { return one.param; });

}  // namespace
}  // namespace driftd::alerts

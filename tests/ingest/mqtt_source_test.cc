#include <filesystem>
#include <fstream>

#include "ingest/mqtt_source.h"
#include "tests/disk.h"
#include "tests/ingest/mqtt_broker.h"
#include "tests/ingest/source_harness.h"
#include "tests/ingest/temp_folder.h"

namespace driftd::ingest {
namespace {

// Both versions of the protocol, by their names in the configuration.
class MqttSourceTest : public testing::TestWithParam<const char*> {
 protected:
  MqttSourceTest() : broker_(std::string(GetParam()) == "5") {}
  void TearDown() override { disk_delay_ms = 0; }

  static Node text(const std::string& s) { return Node::text(s); }
  Node config(const std::string& topic = "plant/+") const {
    return Node::map({{"url", text(broker_.url())},
                      {"topics", text(topic)},
                      {"client_id", text("test")},
                      {"version", text(GetParam())},
                      {"max_record", text("30000")}});
  }
  void start(const std::string& topic = "plant/+", std::uint64_t cap = 1 << 20) {
    source_.reset();
    SourceContext context;
    context.stream = "s";
    context.data_dir = folder_.path();
    context.journal_cap = cap;
    context.telemetry = &telemetry_;
    context.clock = &clock_;
    context.sensor_path = "@topic";
    auto made = make_source("mqtt", config(topic), context);
    ASSERT_TRUE(made.ok()) << made.error().message;
    source_ = std::move(*made);
    ASSERT_TRUE(source_->open(handler_).ok());
  }
  // Polls until `done`, collecting payloads by position.
  template <class Done>
  bool poll_until(const Done& done, Duration patience = kMinute) {
    RawBatch batch;
    const Deadline deadline = Deadline::after(patience);
    while (!done()) {
      if (deadline.passed()) return false;
      const auto got = source_->poll(Deadline::after(20 * kMillisecond), batch);
      EXPECT_TRUE(got.ok());
      if (!got.ok()) return false;
      for (const RawRecord& r : batch.records) found_[r.position] = r.payload;
    }
    return true;
  }
  bool poll_until_up() {
    return poll_until([&] { return source_->status().connected && source_->status().assigned; });
  }
  bool poll_records(std::size_t n) {
    return poll_until([&] { return found_.size() >= n; });
  }
  std::vector<std::string> payloads() const {
    std::vector<std::string> out;
    for (const auto& [position, payload] : found_) out.push_back(payload);
    return out;
  }
  double metric(Metric m) { return telemetry_.series(m, {"s"}).value(); }
  std::string journal() const {
    std::string all;
    for (const auto& e : std::filesystem::directory_iterator(folder_.path() + "/journal")) {
      std::ifstream file(e.path(), std::ios::binary);
      all.append(std::istreambuf_iterator<char>(file), {});
    }
    return all;
  }

  TempFolder folder_;
  Telemetry telemetry_;
  ManualClock clock_{1'700'000'000 * kSecond};
  RecordingHandler handler_;
  MqttBroker broker_;
  std::map<std::int64_t, std::string> found_;
  std::unique_ptr<Source> source_;
};

TEST_P(MqttSourceTest, ReadsWhatIsPublished) {
  start();
  ASSERT_TRUE(poll_until_up()) << source_->status().detail;
  for (int i = 1; i <= 100; ++i) broker_.publish("plant/a", "m" + std::to_string(i), i);
  broker_.publish("plant/a", "qos 0", 0);
  ASSERT_TRUE(poll_records(101));
  EXPECT_EQ(found_[0], "m1");
  EXPECT_EQ(found_[100], "qos 0");
  ASSERT_TRUE(poll_until([&] { return broker_.pubacks().size() == 100; }));
  EXPECT_EQ(broker_.subscribes, 1);
}

// The promise that everything rests on, and that libmosquitto does not document.
TEST_P(MqttSourceTest, NothingIsAcknowledgedBeforeItIsOnTheDisk) {
  start();
  ASSERT_TRUE(poll_until_up());
  std::atomic<int> too_early{0};
  const int before = disk_writes_done;
  broker_.on_puback = [&](int id) {
    const bool synced = disk_writes_done > before;
    const bool written = journal().find("message " + std::to_string(id)) != std::string::npos;
    if (!synced || !written) ++too_early;
  };
  disk_delay_ms = 200;  // time enough for an acknowledgement that does not wait
  for (int i = 1; i <= 20; ++i) broker_.publish("plant/a", "message " + std::to_string(i), i);
  ASSERT_TRUE(poll_until([&] { return broker_.pubacks().size() == 20; }));
  EXPECT_EQ(too_early, 0);
}

TEST_P(MqttSourceTest, WhatTheDiskRefusedIsNotAcknowledged) {
  start("plant/+", 110'000);
  ASSERT_TRUE(poll_until_up());
  for (int i = 1; i <= 16; ++i) broker_.publish("plant/a", std::string(5000, 'x'), i);
  ASSERT_TRUE(poll_until([&] { return broker_.pubacks().size() == 16; }));
  broker_.publish("plant/a", std::string(30'000, 'x'), 17);
  ASSERT_TRUE(poll_until([&] { return !source_->status().connected; }));
  EXPECT_NE(source_->status().detail.find("full"), std::string::npos) << source_->status().detail;
  EXPECT_EQ(broker_.pubacks().size(), 16U);
  EXPECT_EQ(found_.size(), 16U);
}

// Neither those that are kept for redeliveries nor the newest segment hold up what comes, once a checkpoint has all.
TEST_P(MqttSourceTest, AFullJournalHasRoomAgainAfterACheckpoint) {
  start("plant/+", 110'000);
  ASSERT_TRUE(poll_until_up());
  const std::string payload(20'000, 'x');
  int sent = 0;
  while (sent < 20) {
    broker_.publish("plant/a", payload, ++sent);
    ASSERT_TRUE(poll_records(static_cast<std::size_t>(sent))) << sent << ": " << source_->status().detail;
    ASSERT_TRUE(poll_until([&] { return broker_.pubacks().size() == static_cast<std::size_t>(sent); }));
    for (std::uint32_t p = 0; p < 16; ++p) source_->release(p, sent);
  }
  EXPECT_EQ(broker_.sessions, 1);
}

TEST_P(MqttSourceTest, AJournalOverALowerCapIsConnectedAgainAfterACheckpoint) {
  start("plant/+", 1 << 20);
  ASSERT_TRUE(poll_until_up());
  for (int i = 1; i <= 20; ++i) broker_.publish("plant/a", std::string(20'000, 'x'), i);
  ASSERT_TRUE(poll_records(20));
  for (std::uint32_t p = 0; p < 16; ++p) handler_.positions[p] = 20;
  broker_.session_present = true;
  start("plant/+", 110'000);
  poll_until([] { return false; }, 100 * kMillisecond);
  EXPECT_EQ(broker_.sessions, 1) << "no checkpoint has said yet that nobody needs it";
  for (std::uint32_t p = 0; p < 16; ++p) source_->release(p, 20);
  ASSERT_TRUE(poll_until_up()) << source_->status().detail;
  broker_.publish("plant/a", "new", 21);
  ASSERT_TRUE(poll_until([&] { return found_.contains(20); }));
  EXPECT_EQ(found_[20], "new");
}

// Else the broker would send it again with each connection, and nothing behind it.
TEST_P(MqttSourceTest, TheLargestMessageAndThoseBeforeItFitTheSmallestJournal) {
  const std::uint64_t smallest = smallest_mqtt_journal(30'000);
  start("plant/+", smallest);
  ASSERT_TRUE(poll_until_up());
  const std::size_t each = (smallest / 10 - 1) / 20 - kFrameOverhead - std::string_view("plant/a").size();
  for (int i = 1; i <= 20; ++i) broker_.publish("plant/a", std::string(each, 'x'), i);
  broker_.publish("plant/" + std::string(65535 - 6, 't'), std::string(40'000, 'x'), 21);
  ASSERT_TRUE(poll_until([&] {
    for (std::uint32_t p = 0; p < 16; ++p) source_->release(p, static_cast<std::int64_t>(found_.size()));
    return found_.size() == 21;
  })) << source_->status().detail;
  EXPECT_EQ(found_[20].size(), 30'001U);
}

TEST_P(MqttSourceTest, WhatComesAfterTheJournalWasLostIsReadAndNotTakenForDone) {
  for (std::uint32_t p = 0; p < 16; ++p) handler_.positions[p] = 300;
  start();
  ASSERT_TRUE(poll_until_up());
  broker_.publish("plant/a", "new", 1);
  ASSERT_TRUE(poll_records(1));
  EXPECT_EQ(found_[300], "new");
  EXPECT_EQ(metric(Metric::kSourceGaps), 1);
}

TEST_P(MqttSourceTest, ARedeliveryIsCountedOnceAfterALostConnection) {
  start();
  ASSERT_TRUE(poll_until_up());
  broker_.publish("plant/a", "one", 1);
  broker_.publish("plant/a", "two", 2);
  ASSERT_TRUE(poll_records(2));
  ASSERT_TRUE(poll_until([&] { return broker_.pubacks().size() == 2; }));
  broker_.session_present = true;
  broker_.drop();
  ASSERT_TRUE(poll_until([&] { return broker_.sessions == 2 && source_->status().connected; }));
  EXPECT_EQ(broker_.subscribes, 2) << "a session that is there need not have the subscription";
  broker_.publish("plant/a", "two", 2, /*dup=*/true);
  broker_.publish("plant/a", "one", 1);  // the same again, but new
  broker_.publish("plant/a", "three", 3);
  ASSERT_TRUE(poll_records(4));
  EXPECT_EQ(payloads(), (std::vector<std::string>{"one", "two", "one", "three"}));
  EXPECT_EQ(metric(Metric::kMqttDuplicates), 1);
  EXPECT_EQ(metric(Metric::kMqttSessionLost), 0);
  ASSERT_TRUE(poll_until([&] { return broker_.pubacks().size() == 5; })) << "all acknowledged";
}

TEST_P(MqttSourceTest, ARedeliveryIsCountedOnceAfterACrash) {
  start();
  ASSERT_TRUE(poll_until_up());
  broker_.publish("plant/a", "one", 1);
  ASSERT_TRUE(poll_records(1));
  broker_.session_present = true;
  start();  // a new process on the same folder, without a checkpoint
  ASSERT_TRUE(poll_until_up());
  broker_.publish("plant/a", "one", 1, /*dup=*/true);
  broker_.publish("plant/a", "two", 2);
  ASSERT_TRUE(poll_records(2));
  EXPECT_EQ(payloads(), (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(metric(Metric::kMqttDuplicates), 1);
}

TEST_P(MqttSourceTest, ASessionThatTheBrokerForgotIsCountedAndSubscribedAgain) {
  start();
  ASSERT_TRUE(poll_until_up());
  broker_.drop();
  ASSERT_TRUE(poll_until([&] { return broker_.sessions == 2 && source_->status().connected; }));
  ASSERT_TRUE(poll_until([&] { return broker_.subscribes == 2; }));
  EXPECT_EQ(metric(Metric::kMqttSessionLost), 1);
}

// Identifiers of the session that is gone say nothing about those of the one that took its place, also after a restart.
TEST_P(MqttSourceTest, WhatALostSessionSentIsNoRedeliveryInTheNextOne) {
  start();
  ASSERT_TRUE(poll_until_up());
  broker_.publish("plant/a", "20.5", 7);
  ASSERT_TRUE(poll_records(1));
  ASSERT_TRUE(poll_until([&] { return broker_.pubacks().size() == 1; }));
  broker_.drop();  // without a session of ours
  ASSERT_TRUE(poll_until([&] { return broker_.sessions == 2 && source_->status().connected; }));
  broker_.session_present = true;
  start();
  ASSERT_TRUE(poll_until_up());
  broker_.publish("plant/a", "20.5", 7, /*dup=*/true);  // sent before to the driftd that was killed, which did not get it
  ASSERT_TRUE(poll_records(2)) << "the same value again, of the new session";
  EXPECT_EQ(metric(Metric::kMqttDuplicates), 0);
}

// The broker made a session anew, and that connection ended before it had subscribed.
TEST_P(MqttSourceTest, ASessionWithoutSubscriptionsIsSubscribedTo) {
  start();
  ASSERT_TRUE(poll_until_up());
  broker_.granted = 128;
  broker_.drop();
  ASSERT_TRUE(poll_until([&] { return broker_.subscribes == 2; }));
  broker_.granted = 1;
  broker_.session_present = true;
  broker_.drop();
  ASSERT_TRUE(poll_until([&] { return broker_.subscribes == 3; })) << "it must not be taken for one that has them";
  ASSERT_TRUE(poll_until_up());
}

TEST_P(MqttSourceTest, OtherTopicsReplaceThoseOfTheSession) {
  start("plant/+");
  ASSERT_TRUE(poll_until_up());
  broker_.session_present = true;
  start("line/#");
  ASSERT_TRUE(poll_until_up());
  EXPECT_EQ(broker_.unsubscribes, 1);
  EXPECT_EQ(broker_.subscribes, 2);
}

TEST_P(MqttSourceTest, RetainedMessagesDoNotCount) {
  start();
  ASSERT_TRUE(poll_until_up());
  broker_.publish("plant/a", "old", 1, false, /*retain=*/true);
  broker_.publish("plant/a", "new", 2);
  ASSERT_TRUE(poll_records(1));
  ASSERT_TRUE(poll_until([&] { return broker_.pubacks().size() == 2; }));
  EXPECT_EQ(payloads(), (std::vector<std::string>{"new"}));
}

TEST_P(MqttSourceTest, SaysWhyTheBrokerRefuses) {
  broker_.refuse = std::string(GetParam()) == "5" ? 0x87 : 5;
  start();
  ASSERT_TRUE(poll_until([&] { return broker_.sessions >= 2; })) << "it must try again";
  EXPECT_FALSE(source_->status().connected);
  EXPECT_NE(source_->status().detail.find("uthori"), std::string::npos) << source_->status().detail;
}

TEST_P(MqttSourceTest, ARefusedTopicIsNotReady) {
  broker_.granted = 128;
  start();
  ASSERT_TRUE(poll_until([&] { return broker_.subscribes >= 1; }));
  EXPECT_TRUE(poll_until([&] { return source_->status().detail.find("plant/+") != std::string::npos; })) << source_->status().detail;
  EXPECT_FALSE(source_->status().assigned);
}

TEST_P(MqttSourceTest, ABrokerThatIsAwayIsNoError) {
  const std::string url = broker_.url();
  {
    MqttBroker gone(true);
    Node node = config();
    SourceContext context;
    context.stream = "s";
    context.data_dir = folder_.path();
    context.clock = &clock_;
    node = Node::map({{"url", text("mqtt://127.0.0.1:1")}, {"topics", text("a")}, {"client_id", text("c")}});
    source_ = make_source("mqtt", node, context).value();
  }
  ASSERT_TRUE(source_->open(handler_).ok());
  poll_until([] { return false; }, 200 * kMillisecond);
  EXPECT_FALSE(source_->status().connected);
  EXPECT_NE(source_->status().detail.find("127.0.0.1:1: Connection refused"), std::string::npos) << source_->status().detail;
}

TEST_P(MqttSourceTest, AcknowledgesNothingNewWhilePausedButJournals) {
  start();
  ASSERT_TRUE(poll_until_up());
  source_->pause(true);
  broker_.publish("plant/a", "one", 1);
  ASSERT_TRUE(poll_until([&] { return broker_.pubacks().size() == 1; }));
  EXPECT_TRUE(found_.empty());
  source_->pause(false);
  ASSERT_TRUE(poll_records(1));
}

INSTANTIATE_TEST_SUITE_P(Versions, MqttSourceTest, testing::Values("5", "3.1.1"),
                         [](const auto& version) { return std::string(version.param) == "5" ? "Mqtt5" : "Mqtt311"; });

std::string refusal(std::vector<std::pair<std::string, Node>> changed, std::uint64_t journal_cap = 1ULL << 30) {
  std::vector<std::pair<std::string, Node>> all = {
      {"url", Node::text("mqtt://b")}, {"topics", Node::text("a")}, {"client_id", Node::text("c")}};
  for (auto& [key, value] : changed) {
    for (auto& [k, v] : all) {
      if (k == key) v = value;
    }
    if (key != "url" && key != "topics" && key != "client_id") all.emplace_back(key, value);
  }
  SourceContext context;
  context.data_dir = "/nowhere";
  context.journal_cap = journal_cap;
  const auto made = make_source("mqtt", Node::map(all), context);
  return made ? "" : made.error().message;
}

TEST(MqttConfig, IsCheckedBeforeAnythingStarts) {
  const auto text = [](const char* s) { return Node::text(s); };
  EXPECT_EQ(refusal({}), "");
  EXPECT_EQ(refusal({{"url", text("mqtts://[::1]:8884/")}}), "");
  for (const char* url : {"b:1883", "http://b", "mqtt://", "mqtt://b:0", "mqtt://b:x", "mqtt://b:70000", "mqtt://u:p@b", "mqtt://b:1/topic",
                          "mqtt://b/topic", "mqtt://::1"}) {
    EXPECT_NE(refusal({{"url", text(url)}}).find("url"), std::string::npos) << url;
  }
  const std::uint64_t smallest = smallest_mqtt_journal(1 << 20);
  EXPECT_EQ(refusal({}, smallest), "");
  EXPECT_NE(refusal({}, smallest - 1).find("raise service.limits.journal to " + std::to_string(smallest)), std::string::npos);
  EXPECT_EQ(refusal({{"max_record", text("800KiB")}}, 1 << 20), "");
  for (const char* url : {"mqtt://user:s3cret@b", "tcp://user:s3cret@b:1", "mqt://user:s3cret@b", "user:s3cret@b", "mqtts://user:s3cret",
                          "mqtt://user:s3cret%40b:1883", "mqtts://user:s3cret/b:8883", "mqtt:/user:s3cret"}) {
    const std::string why = refusal({{"url", text(url)}});
    EXPECT_NE(why.find("'url'"), std::string::npos) << url;
    EXPECT_EQ(why.find("s3cret"), std::string::npos) << why;
  }
  for (const char* topic : {"", "a/#/b", "a#", "a/+b"}) {
    EXPECT_NE(refusal({{"topics", text(topic)}}).find("topic"), std::string::npos) << topic;
  }
  EXPECT_NE(refusal({{"client_id", text("")}}).find("client_id"), std::string::npos);
  EXPECT_NE(refusal({{"password_file", text("/p")}}).find("username"), std::string::npos);
  EXPECT_NE(refusal({{"tls", Node::map({{"ca_file", text("/c")}})}}).find("mqtts"), std::string::npos);
}

}  // namespace
}  // namespace driftd::ingest

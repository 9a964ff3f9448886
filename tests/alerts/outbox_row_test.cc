#include "alerts/outbox_row.h"

#include <gtest/gtest.h>

#include <limits>

#include "samples.h"

namespace driftd::alerts {
namespace {

OutboxColumns columns_of(const Message& m) {
  return {.id = m.id,
          .receiver = "hook",
          .type = m.type,
          .group_key = m.group_key,
          .body = encode_body(m),
          .created_at = kDay0,
          .attempts = 2,
          .next_attempt_at = kDay0 + kMinute,
          .state = 0,
          .detail = "503"};
}

// The error's text of a row in which something is damaged; empty: it is taken.
template <class Damage>
std::string refused(Damage damage) {
  OutboxColumns columns = columns_of(outgoing("1").message);
  damage(columns);
  const auto row = row_of(std::move(columns));
  if (row) return "";
  EXPECT_EQ(row.error().code, ErrorCode::kCorrupt);
  return row.error().message;
}

TEST(OutboxRow, IsReadAsItWasWritten) {
  const Message m = outgoing("0123456789abcdef", "hook", "alert.resolved").message;
  const auto row = row_of(columns_of(m));
  ASSERT_TRUE(row.ok()) << row.error().message;
  EXPECT_EQ(row->message.id, m.id);
  EXPECT_EQ(row->message.type, m.type);
  EXPECT_EQ(row->message.group_key, m.group_key);
  EXPECT_EQ(row->message.attempt, 3U);
  EXPECT_EQ(row->message.created_at, kDay0);
  EXPECT_EQ(row->next_attempt_at, kDay0 + kMinute);
  EXPECT_EQ(row->receiver, "hook");
  EXPECT_EQ(row->detail, "503");
  EXPECT_EQ(row->state, RowState::kPending);
  EXPECT_EQ(encode_body(row->message), encode_body(m));
}

TEST(OutboxRow, AnIdThatIsNoHeaderIsRefused) {
  EXPECT_EQ(refused([](OutboxColumns& c) { c.id = std::string(64, 'a'); }), "");
  for (const std::string& id :
       {std::string(), std::string("a\r\nX-Admin: 1"), std::string("a b"), std::string("a.b"), std::string(65, 'a'), std::string("\xff")}) {
    EXPECT_NE(refused([&](OutboxColumns& c) { c.id = id; }).find("not an id"), std::string::npos) << id;
  }
}

TEST(OutboxRow, ColumnsThatCannotBeAreRefused) {
  EXPECT_NE(refused([](OutboxColumns& c) { c.type = "alert.fired"; }), "");
  for (const std::int64_t t : {std::int64_t{-1}, std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()}) {
    EXPECT_NE(refused([&](OutboxColumns& c) { c.created_at = t; }), "") << t;
    EXPECT_NE(refused([&](OutboxColumns& c) { c.next_attempt_at = t; }), "") << t;
    EXPECT_NE(refused([&](OutboxColumns& c) { c.attempts = t; }), "") << t;
    EXPECT_NE(refused([&](OutboxColumns& c) { c.state = t; }), "") << t;
  }
  EXPECT_EQ(refused([](OutboxColumns& c) { c.state = 5; }), "");
  EXPECT_NE(refused([](OutboxColumns& c) { c.state = 6; }), "");
}

TEST(OutboxRow, ABodyThatCannotBeIsRefused) {
  const auto with = [](auto change) {
    return refused([&](OutboxColumns& c) {
      Message m = outgoing("1").message;
      change(m);
      c.body = encode_body(m);
    });
  };
  EXPECT_EQ(with([](Message&) {}), "");
  EXPECT_NE(with([](Message& m) { m.alerts[0].segment.value = "b"; }).find("fingerprint"), std::string::npos)
      << "it would tell of another alert";
  EXPECT_NE(with([](Message& m) { m.finding_lines = {"{\"id\":"}; }).find("JSON"), std::string::npos) << "receivers get it as it stands";
  EXPECT_NE(with([](Message& m) { m.finding_lines = {"7"}; }), "");
  EXPECT_NE(with([](Message& m) { m.finding_lines = {std::string("{}\0]", 4)}; }), "") << "a parser would stop at the zero";
  EXPECT_NE(refused([](OutboxColumns& c) { c.body += '\0'; }), "");
  EXPECT_NE(refused([](OutboxColumns& c) { c.body.pop_back(); }), "");
}

}  // namespace
}  // namespace driftd::alerts

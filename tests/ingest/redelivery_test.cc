#include "ingest/redelivery.h"

#include <gtest/gtest.h>

namespace driftd::ingest {
namespace {

TEST(Redeliveries, KnowsWhatTheConnectionBeforeJournaled) {
  Redeliveries r(10);
  r.journaled(1, "t", "a");
  r.journaled(2, "t", "b");
  EXPECT_FALSE(r.recognise(true, 2, "t", "b")) << "nothing is sent again on the same connection";
  r.connected(true);
  EXPECT_TRUE(r.recognise(true, 2, "t", "b"));
  EXPECT_FALSE(r.recognise(true, 2, "t", "b")) << "each once";
}

TEST(Redeliveries, TellsNewMessagesApart) {
  const struct {
    bool dup;
    std::uint32_t id;
    const char *topic, *payload;
    const char* why;
  } kNew[] = {
      {false, 1, "t", "a", "no DUP flag: the identifier is used anew"},
      {true, 2, "t", "a", "another identifier"},
      {true, 1, "u", "a", "another topic"},
      {true, 1, "t", "b", "another payload"},
      {true, 0, "t", "a", "QoS 0"},
  };
  for (const auto& c : kNew) {
    Redeliveries r(10);
    for (int i = 0; i < 5; ++i) r.journaled(1, "t", "a");
    r.connected(true);
    EXPECT_FALSE(r.recognise(c.dup, c.id, c.topic, c.payload)) << c.why;
  }
}

// An identifier that was used again had its PUBACK, so what it stood for before is never sent again.
TEST(Redeliveries, OnlyTheNewestOfAnIdentifierMayComeAgain) {
  Redeliveries r(10);
  r.journaled(1, "t", "23.5");
  r.journaled(1, "t", "24");
  r.journaled(2, "t", "a");
  r.connected(true);
  EXPECT_FALSE(r.recognise(true, 1, "t", "23.5")) << "a new one that was under way when the connection broke";
  EXPECT_TRUE(r.recognise(true, 2, "t", "a"));
}

TEST(Redeliveries, ANewSessionSendsNothingAgain) {
  Redeliveries r(10);
  r.journaled(1, "t", "a");
  r.connected(false);
  EXPECT_FALSE(r.expects());
  EXPECT_FALSE(r.recognise(true, 1, "t", "a"));
  r.connected(true);
  EXPECT_FALSE(r.expects()) << "and what came before it is forgotten";
}

TEST(Redeliveries, GivesUpAfterAsManyMessagesAsCouldBeOpen) {
  Redeliveries r(10);
  for (std::uint32_t i = 1; i <= 3; ++i) r.journaled(i, "t", "a");
  r.connected(true);
  for (std::uint32_t i = 10; i < 13; ++i) EXPECT_FALSE(r.recognise(false, i, "t", "new"));
  EXPECT_FALSE(r.expects());
  EXPECT_FALSE(r.recognise(true, 1, "t", "a"));
}

TEST(Redeliveries, WhatIsNeverOpenDoesNotCount) {
  Redeliveries r(10);
  r.journaled(7, "t", "a");
  r.connected(true);
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(r.recognise(false, 0, "t", "QoS 0"));
  EXPECT_TRUE(r.recognise(true, 7, "t", "a"));
}

TEST(Redeliveries, RemembersItsCapacity) {
  Redeliveries r(2);
  for (std::uint32_t i = 1; i <= 3; ++i) r.journaled(i, "t", "a");
  r.connected(true);
  EXPECT_FALSE(r.recognise(true, 1, "t", "a"));
  EXPECT_TRUE(r.recognise(true, 2, "t", "a"));
}

}  // namespace
}  // namespace driftd::ingest

#include "stats/reference_store.h"

#include <gmock/gmock.h>
#include <sqlite3.h>

#include "tests/stats/reference_fixture.h"
#include "tests/stats/temp_folder.h"

namespace driftd::stats::reference_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ReferenceStoreTest : public ::testing::Test {
 protected:
  ReferenceStoreTest() : store_(open()) {}

  std::unique_ptr<ReferenceStore> open() {
    auto store = ReferenceStore::open(folder_.file("references.db"));
    EXPECT_TRUE(store.ok());
    return std::move(*store);
  }
  std::uint32_t put(double offset, std::vector<std::string> tags = {}) {
    Reference r = build(some_rows(offset));
    r.tags = std::move(tags);
    const auto version = store_->put(r);
    EXPECT_TRUE(version.ok());
    return version.ok() ? *version : 0;
  }
  std::uint32_t version_of(const std::string& which, Time at = kNoTime) {
    const auto r = store_->resolve(which, at);
    return r.ok() ? r->version : 0;
  }
  void promote(std::uint32_t version, const std::string& alias, Time from = 0) {
    EXPECT_TRUE(store_->promote("pumps", version, alias, from, "ann", from + 1).ok());
  }
  // Straight into the file, as nobody should.
  void damage(const char* sql) {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(folder_.file("references.db").c_str(), &db), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
    sqlite3_close(db);
  }

  TempFolder folder_;
  std::unique_ptr<ReferenceStore> store_;
};

TEST_F(ReferenceStoreTest, GivesBackWhatWasPut) {
  Reference r = build(some_rows());
  r.tags = {"winter"};
  r.provenance.created_at = 7;
  r.provenance.created_by = "ann@plant";
  r.provenance.notes = {{"commit", "abc"}, {"model", "v2"}};
  ASSERT_EQ(*store_->put(r), 1U);
  store_ = open();
  const auto read = store_->get("pumps", 1);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->content(), r.content());
  EXPECT_EQ(read->hash, r.hash);
  EXPECT_EQ(read->tags, r.tags);
  EXPECT_EQ(read->provenance.created_by, "ann@plant");
  EXPECT_EQ(read->provenance.notes, r.provenance.notes);
  EXPECT_EQ(read->provenance.rows, 100U);
  EXPECT_EQ(read->id().version, 1U);
}

TEST_F(ReferenceStoreTest, TheSameContentIsTheSameVersion) {
  EXPECT_EQ(put(0, {"first"}), 1U);
  EXPECT_EQ(put(5), 2U);
  EXPECT_EQ(put(0, {"again"}), 1U) << "known: its tags are added there";
  EXPECT_THAT(store_->get("pumps", 1)->tags, ElementsAre("again", "first"));
  Reference other = build(some_rows());
  other.name = "valves";
  EXPECT_EQ(*store_->put(other), 1U) << "each name has its own versions";
}

TEST_F(ReferenceStoreTest, AVersionNeverChanges) {
  put(0);
  const std::string before = store_->get("pumps", 1)->content();
  // Changed after it was read: other content, whatever hash it still carries.
  Reference changed = *store_->get("pumps", 1);
  changed.segments[0].fields[0].bin_counts[1] = 0;
  EXPECT_EQ(*store_->put(changed), 2U);
  EXPECT_EQ(store_->get("pumps", 1)->content(), before);
  EXPECT_EQ(store_->get("pumps", 2)->content(), changed.content());
}

TEST_F(ReferenceStoreTest, ResolvesVersionsTagsAndTheNewest) {
  put(0, {"winter"});
  put(5, {"summer"});
  put(9);
  EXPECT_EQ(version_of("pumps"), 3U);
  EXPECT_EQ(version_of("pumps@"), 3U);
  EXPECT_EQ(version_of("pumps@1"), 1U);
  EXPECT_EQ(version_of("pumps@v2"), 2U);
  EXPECT_EQ(version_of("pumps@summer"), 2U);
  EXPECT_EQ(version_of("pumps@winter"), 1U);
}

TEST_F(ReferenceStoreTest, ATagStaysOnItsVersion) {
  put(0, {"winter"});
  put(5);
  Reference third = build(some_rows(9));
  third.tags = {"cold", "winter"};
  const auto refused = store_->put(third);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(refused.error().message, HasSubstr("pumps@1 has the tag 'winter', and a tag does not move"));
  EXPECT_EQ(store_->list()->size(), 2U) << "all of it or nothing";
  EXPECT_EQ(version_of("pumps@winter"), 1U);
  EXPECT_EQ(version_of("pumps@cold"), 0U);
  EXPECT_EQ(put(0, {"winter"}), 1U) << "its own tag again";
  third.name = "valves";
  EXPECT_TRUE(store_->put(third).ok()) << "each name has its own tags";
}

// Versions and the times from which they hold, "1@- 2@100".
std::string line_of(const Result<std::vector<ReferenceEdition>>& history) {
  if (!history) return "error";
  std::string out;
  for (const ReferenceEdition& e : *history) {
    out += (out.empty() ? "" : " ") + std::to_string(e.reference->version) + "@" + (e.from == kNoTime ? "-" : std::to_string(e.from));
  }
  return out;
}

TEST_F(ReferenceStoreTest, TheHistoryOfAnAliasIsItsPromotionsOverEventTime) {
  put(0), put(5), put(9);
  EXPECT_EQ(line_of(store_->history("pumps@2")), "2@-");
  EXPECT_EQ(line_of(store_->history("pumps")), "3@-");
  EXPECT_EQ(line_of(store_->history("pumps@production")), "error");
  promote(1, "production", kNoTime);
  promote(2, "production", 200);
  EXPECT_EQ(line_of(store_->history("pumps@production")), "1@- 2@200");
  promote(3, "production", 100);
  EXPECT_EQ(line_of(store_->history("pumps@production")), "1@- 3@100") << "the later promotion takes all from 100 on";
  promote(3, "production", 300);
  EXPECT_EQ(line_of(store_->history("pumps@production")), "1@- 3@100");
  promote(2, "production", kNoTime);
  EXPECT_EQ(line_of(store_->history("pumps@production")), "2@-");
}

TEST_F(ReferenceStoreTest, APromotionIsSettledByWhoTakesIt) {
  put(0), put(5);
  promote(1, "production", kNoTime);
  EXPECT_EQ(line_of(store_->history("pumps@production", "plant")), "") << "nobody has taken it";
  const auto first = store_->promotions("pumps");
  ASSERT_EQ(first->size(), 1U);
  EXPECT_FALSE(first->front().settled);
  ASSERT_TRUE(store_->settle(first->front().id, 500).ok());
  EXPECT_EQ(line_of(store_->history("pumps@production", "plant")), "1@500");
  promote(2, "production", kNoTime);
  EXPECT_EQ(line_of(store_->history("pumps@production", "plant")), "1@500");
  EXPECT_EQ(line_of(store_->history("pumps@production")), "2@-");
  EXPECT_EQ(version_of("pumps@production"), 2U);
}

TEST_F(ReferenceStoreTest, WhatAStreamLackedHoldsForItFromWhenItIsSettled) {
  put(0);
  for (const char* which : {"pumps@winter", "pumps@2"}) ASSERT_TRUE(store_->lacks("plant", which).ok());
  EXPECT_EQ(store_->history("pumps@winter", "plant").error().code, ErrorCode::kNotFound);
  put(5, {"winter"});
  for (const char* which : {"pumps@winter", "pumps@2"}) {
    EXPECT_THAT(*store_->lacking(which), ElementsAre("plant"));
    EXPECT_EQ(line_of(store_->history(which, "plant")), "") << "nobody has taken it";
    ASSERT_TRUE(store_->settle_lack("plant", which, 500).ok());
    store_ = open();
    EXPECT_TRUE(store_->lacking(which)->empty());
    EXPECT_EQ(line_of(store_->history(which, "plant")), "2@500");
    EXPECT_EQ(line_of(store_->history(which, "other")), "2@-") << "another stream started when it was there";
    EXPECT_EQ(line_of(store_->history(which)), "2@-");
  }
}

TEST_F(ReferenceStoreTest, AHistoryIsBounded) {
  put(0), put(5);
  for (int i = 0; i < 40; ++i) promote(1 + static_cast<std::uint32_t>(i % 2), "production", i);
  const auto history = store_->history("pumps@production");
  ASSERT_TRUE(history.ok());
  EXPECT_EQ(history->size(), ReferenceStore::kEditions);
  EXPECT_EQ(history->back().from, 39);
}

TEST_F(ReferenceStoreTest, SaysWhatThereIsInstead) {
  EXPECT_THAT(store_->resolve("pumps").error().message, HasSubstr("reference build"));
  put(0, {"winter"});
  EXPECT_THAT(store_->resolve("pump").error().message, HasSubstr("did you mean 'pumps'"));
  EXPECT_THAT(store_->resolve("pumps@wintr").error().message, HasSubstr("'winter'"));
  for (const char* which : {"pumps@2", "pumps@0", "pumps@-1", "pumps@v", "pumps@4294967297", "", "@1"}) {
    const auto r = store_->resolve(which);
    ASSERT_FALSE(r.ok()) << which;
    EXPECT_EQ(r.error().code, ErrorCode::kNotFound) << which;
  }
}

TEST_F(ReferenceStoreTest, AnAliasHoldsFromAnEventTimeOn) {
  put(0);
  put(5);
  EXPECT_EQ(version_of("pumps@production"), 0U);
  promote(1, "production", 100);
  promote(2, "production", 200);
  EXPECT_EQ(version_of("pumps@production"), 2U);
  EXPECT_EQ(version_of("pumps@production", 99), 0U) << "nothing was promoted then";
  EXPECT_EQ(version_of("pumps@production", 100), 1U);
  EXPECT_EQ(version_of("pumps@production", 199), 1U);
  EXPECT_EQ(version_of("pumps@production", 200), 2U);
  promote(1, "staging", 300);
  EXPECT_EQ(version_of("pumps@staging"), 1U) << "aliases do not know each other";
  EXPECT_EQ(version_of("pumps@production"), 2U);
}

TEST_F(ReferenceStoreTest, AnAliasIsAWordThatCanBeResolved) {
  put(0);
  for (const char* alias : {"", "2", "v2", "-1", "a b", "a@b"}) {
    const Status s = store_->promote("pumps", 1, alias, 0, "ann", 1);
    EXPECT_FALSE(s.ok()) << alias << " would mean something else in NAME@...";
  }
  for (const char* alias : {"production", "v", "v2-winter", "2026-11"}) {
    promote(1, alias);
    EXPECT_EQ(version_of(std::string("pumps@") + alias), 1U) << alias;
  }
  EXPECT_EQ(store_->promote("pumps", 9, "production", 0, "ann", 1).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(store_->promote("nobody", 1, "production", 0, "ann", 1).error().code, ErrorCode::kNotFound);
}

TEST_F(ReferenceStoreTest, AnAliasOfTheFutureDoesNotHoldYet) {
  put(0);
  put(5);
  promote(1, "production");
  promote(2, "production", *parse_time("2200-01-01T00:00:00Z"));
  EXPECT_EQ(version_of("pumps@production"), 1U);
  EXPECT_THAT((*store_->list())[0].aliases, ElementsAre("production"));
  EXPECT_EQ(version_of("pumps@production", *parse_time("2200-01-02T00:00:00Z")), 2U);
}

TEST_F(ReferenceStoreTest, RefusesNamesThatCannotBeAskedFor) {
  Reference r = build(some_rows());
  for (const char* name : {"", "pumps@2", "@", "x y"}) {
    r.name = name;
    const auto refused = store_->put(r);
    ASSERT_FALSE(refused.ok()) << name;
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument) << name;
  }
  r.name = "pumps";
  for (const char* tag : {"", "a b", "7", "v1"}) {
    r.tags = {"fine", tag};
    const auto refused = store_->put(r);
    ASSERT_FALSE(refused.ok()) << tag;
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument) << tag;
    EXPECT_THAT(refused.error().message, HasSubstr("is no tag"));
  }
  EXPECT_TRUE(store_->list()->empty());
}

TEST_F(ReferenceStoreTest, ATagIsNoAliasAndTheOtherWayRound) {
  put(0, {"winter"});
  promote(1, "production");
  Reference second = build(some_rows(5));
  second.tags = {"production"};
  const auto refused = store_->put(second);
  ASSERT_FALSE(refused.ok()) << "nobody could reach the tag";
  EXPECT_THAT(refused.error().message, HasSubstr("'production' is an alias of pumps"));
  EXPECT_EQ(store_->list()->size(), 1U);
  const Status promoted = store_->promote("pumps", 1, "winter", 0, "ann", 1);
  ASSERT_FALSE(promoted.ok()) << "the tag would not be reached any more";
  EXPECT_THAT(promoted.error().message, HasSubstr("'winter' is a tag of pumps"));
  second.name = "valves";
  EXPECT_TRUE(store_->put(second).ok()) << "each name has its own words";
  EXPECT_TRUE(store_->promote("valves", 1, "winter", 0, "ann", 1).ok());
}

TEST_F(ReferenceStoreTest, AnAliasThatIsATagInAnOldStoreCanStillBeMoved) {
  put(0), put(5);
  promote(1, "production");
  damage("INSERT INTO tag VALUES('pumps', 'production', 1)");
  promote(2, "production", 100);
  EXPECT_EQ(version_of("pumps@production"), 2U);
}

TEST_F(ReferenceStoreTest, RollbackGoesToTheVersionBeforeAndLeavesATrail) {
  put(0);
  put(5);
  EXPECT_FALSE(store_->rollback("pumps", "production", "bob", 1).ok());
  promote(1, "production", 100);
  EXPECT_FALSE(store_->rollback("pumps", "production", "bob", 150).ok()) << "there is none before";
  promote(2, "production", 200);
  promote(2, "production", 250);
  const auto back = store_->rollback("pumps", "production", "bob", 300);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, 1U) << "the last other version";
  ASSERT_TRUE(store_->settle(store_->promotions("pumps")->back().id, 300).ok());
  EXPECT_EQ(version_of("pumps@production", 299), 2U) << "what held then still holds for then";
  EXPECT_EQ(version_of("pumps@production", 300), 1U);
  EXPECT_EQ(*store_->rollback("pumps", "production", "bob", 400), 2U) << "twice is back again";
  const auto trail = store_->promotions("pumps");
  ASSERT_TRUE(trail.ok());
  ASSERT_EQ(trail->size(), 5U);
  EXPECT_EQ(trail->front().who, "ann");
  EXPECT_EQ(trail->front().valid_from, 100);
  EXPECT_EQ(trail->front().at, 101);
  EXPECT_EQ((*trail)[3].version, 1U);
  EXPECT_THAT((*trail)[3].who, HasSubstr("bob"));
  EXPECT_TRUE(store_->promotions("nobody")->empty());
}

TEST_F(ReferenceStoreTest, ListsVersionsWithTheirTagsAndAliases) {
  EXPECT_TRUE(store_->list()->empty());
  put(0, {"winter", "plant-1"});
  put(5);
  promote(1, "production");
  promote(2, "production", 50);
  promote(1, "old");
  const auto all = store_->list();
  ASSERT_TRUE(all.ok());
  ASSERT_EQ(all->size(), 2U);
  EXPECT_THAT((*all)[0].tags, ElementsAre("plant-1", "winter"));
  EXPECT_THAT((*all)[0].aliases, ElementsAre("old")) << "production has moved on";
  EXPECT_THAT((*all)[1].aliases, ElementsAre("production"));
  EXPECT_EQ((*all)[0].hash, store_->get("pumps", 1)->hash);
  EXPECT_EQ((*all)[0].provenance.rows, 100U);
}

TEST_F(ReferenceStoreTest, DamagedContentIsRefused) {
  put(0);
  damage("UPDATE reference SET content = substr(content, 1, length(content) - 1)");
  EXPECT_EQ(store_->resolve("pumps").error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(store_->resolve("pumps").error().message, HasSubstr("pumps@1"));
}

TEST_F(ReferenceStoreTest, ContentThatIsNotItsHashIsRefused) {
  put(0);
  put(5);
  damage(
      "UPDATE reference SET content = (SELECT content FROM reference WHERE version = 2) "
      "WHERE version = 1");
  EXPECT_EQ(store_->get("pumps", 1).error().code, ErrorCode::kCorrupt);
  EXPECT_TRUE(store_->get("pumps", 2).ok());
}

TEST_F(ReferenceStoreTest, TwoOpenStoresSeeEachOthersChanges) {
  const auto other = open();
  put(0);
  EXPECT_TRUE(other->resolve("pumps@1").ok());
  EXPECT_EQ(*other->put(build(some_rows())), 1U);
}

TEST(ReferenceStore, AFileThatIsNoStoreIsAnError) {
  const TempFolder folder;
  EXPECT_FALSE(ReferenceStore::open(folder.file("no/such/folder.db")).ok());
}

}  // namespace
}  // namespace driftd::stats::reference_test

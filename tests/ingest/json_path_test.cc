#include "ingest/json_path.h"

#include <gtest/gtest.h>

namespace driftd::ingest {
namespace {

// Keys from the root to the node with this target, joined by '>'; "" when there is none.
std::string place_of(const PathNode& node, std::uint32_t target) {
  for (const PathNode& child : node.children) {
    bool here = false;
    child.each_target([&](std::uint32_t t) { here = here || t == target; });
    if (here) return child.key;
    const std::string below = place_of(child, target);
    if (!below.empty()) return child.key + ">" + below;
  }
  return "";
}

std::string place_of(const std::string& path) {
  PathTree tree;
  const Status added = tree.add(path, 5);
  return added.ok() ? place_of(tree.root(), 5) : "error: " + added.error().message;
}

TEST(JsonPath, NamesAndPointers) {
  EXPECT_EQ(place_of("id"), "id");
  EXPECT_EQ(place_of("a/b~2"), "a/b~2") << "a name is taken as it is";
  EXPECT_EQ(place_of("/meta/id"), "meta>id");
  EXPECT_EQ(place_of("/readings/0/value"), "readings>0>value");
  EXPECT_EQ(place_of("/a~1b/c~0d/~01"), "a/b>c~d>~1") << "RFC 6901: ~01 is ~1, not a slash";
}

TEST(JsonPath, RefusesWhatIsNoPath) {
  EXPECT_EQ(place_of("").substr(0, 6), "error:");
  for (const char* path : {"/a~", "/a~2", "/~x/b"}) EXPECT_NE(place_of(path).find("tilde"), std::string::npos) << path;
  std::string deep;
  for (std::size_t i = 0; i < kMaxPathDepth; ++i) deep += "/a";
  EXPECT_NE(place_of(deep).substr(0, 6), "error:") << "as deep as allowed";
  EXPECT_NE(place_of(deep + "/a").find("deeper than 16"), std::string::npos);
}

TEST(JsonPath, OnlyCanonicalIndicesAreIndices) {
  for (const auto& [key, index] : {std::pair<const char*, std::int64_t>{"0", 0},
                                   {"12", 12},
                                   {"01", -1},
                                   {"-1", -1},
                                   {"-0", -1},
                                   {"+1", -1},
                                   {"1e2", -1},
                                   {"", -1},
                                   {"99999999999999999999", -1}}) {
    PathTree tree;
    ASSERT_TRUE(tree.add(std::string("/") + key, 1).ok());
    EXPECT_EQ(tree.root().children.at(0).index, index) << key;
  }
}

TEST(JsonPath, PathsShareTheirBeginningAndAPlaceMayServeTwice) {
  PathTree tree;
  for (const auto& [path, target] : {std::pair<const char*, std::uint32_t>{"/a/b", 1}, {"/a/c", 2}, {"/a/b", 3}, {"a", 4}})
    ASSERT_TRUE(tree.add(path, target).ok());
  ASSERT_EQ(tree.root().children.size(), 1U);
  EXPECT_EQ(tree.root().children[0].children.size(), 2U);
  EXPECT_EQ(tree.root().children[0].target, 4U);
  std::vector<std::uint32_t> below;
  each_target_below(tree.root().children[0], [&](std::uint32_t t) { below.push_back(t); });
  EXPECT_EQ(below, (std::vector<std::uint32_t>{1, 3, 2}));
}

// The key at the beginning of `text`, found among `keys`; "" when it is none of them.
std::string found(PathTree& tree, std::string text, std::uint32_t& last) {
  const std::size_t size = text.size();
  text.resize(size + 64, ' ');  // is_key may read 16 bytes
  const PathNode* child = find_child(tree.root(), text.data(), text.data() + size, last);
  return child == nullptr ? "" : child->key;
}

TEST(JsonPath, KeysAreComparedInFull) {
  const std::string k15(15, 'k'), k16(16, 'k'), k17(17, 'k'), k40(40, 'k');
  PathTree tree;
  for (const std::string& key : {std::string("a"), std::string("ab"), k15, k16, k17, k40}) ASSERT_TRUE(tree.add(key, 1).ok());
  for (const std::string& key : {std::string("a"), std::string("ab"), k15, k16, k17, k40}) {
    std::uint32_t last = 0;
    EXPECT_EQ(found(tree, key + "\":1", last), key);
  }
  for (const std::string& other : {std::string("b"), std::string("abc"), std::string(), std::string(14, 'k'), std::string(18, 'k'),
                                   std::string(39, 'k') + "x", std::string(41, 'k')}) {
    std::uint32_t last = 0;
    EXPECT_EQ(found(tree, other + "\":1", last), "") << other;
  }
  std::uint32_t last = 0;
  EXPECT_EQ(found(tree, k40, last), "") << "the record ends before the quote";
}

TEST(JsonPath, FindsKeysInAnyOrderAgainAndAgain) {
  PathTree tree;
  for (const char* key : {"a", "b", "c"}) ASSERT_TRUE(tree.add(key, 1).ok());
  for (const std::string order : {"abc", "cba", "bac", "aab", "abc", "abc", "c", "ca"}) {
    std::uint32_t last = 0;
    for (const char key : order) EXPECT_EQ(found(tree, std::string(1, key) + "\"", last), std::string(1, key)) << order;
  }
}

}  // namespace
}  // namespace driftd::ingest

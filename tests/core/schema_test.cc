#include "core/schema.h"

#include <gtest/gtest.h>

namespace driftd {
namespace {

TEST(Schema, KindsAndRolesAreReadAsTheyAreWritten) {
  const std::pair<FieldKind, const char*> kinds[] = {{FieldKind::kNumber, "number"},
                                                     {FieldKind::kInteger, "integer"},
                                                     {FieldKind::kFlag, "flag"},
                                                     {FieldKind::kCategory, "category"},
                                                     {FieldKind::kText, "text"}};
  for (const auto& [kind, word] : kinds) {
    EXPECT_STREQ(to_string(kind), word);
    EXPECT_EQ(field_kind(word), kind);
  }
  const std::pair<FieldRole, const char*> roles[] = {{FieldRole::kFeature, "feature"},
                                                     {FieldRole::kSegment, "segment"},
                                                     {FieldRole::kPrediction, "prediction"},
                                                     {FieldRole::kLabel, "label"},
                                                     {FieldRole::kId, "id"}};
  for (const auto& [role, word] : roles) {
    EXPECT_STREQ(to_string(role), word);
    EXPECT_EQ(field_role(word), role);
  }
  for (const char* word : {"", "Number", "numbers", "num"}) {
    EXPECT_EQ(field_kind(word), std::nullopt) << word;
    EXPECT_EQ(field_role(word), std::nullopt) << word;
  }
}

TEST(Schema, FlagsAreNumbersAndCategoriesAreNot) {
  for (const auto kind : {FieldKind::kNumber, FieldKind::kInteger, FieldKind::kFlag}) EXPECT_TRUE(is_numeric(kind));
  EXPECT_FALSE(is_numeric(FieldKind::kCategory));
  EXPECT_FALSE(is_numeric(FieldKind::kText));
}

TEST(Schema, FindsFieldsByTheirWholeName) {
  Schema schema;
  EXPECT_EQ(schema.index_of("a"), std::nullopt);
  schema.fields.resize(2);
  schema.fields[0].name = "ab";
  schema.fields[1].name = "a";
  EXPECT_EQ(schema.index_of("ab"), 0U);
  EXPECT_EQ(schema.index_of("a"), 1U);
  EXPECT_EQ(schema.index_of("b"), std::nullopt);
}

}  // namespace
}  // namespace driftd

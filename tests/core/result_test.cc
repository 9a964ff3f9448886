#include "core/result.h"

#include <gtest/gtest.h>

#include <memory>

namespace driftd {
namespace {

TEST(Result, HoldsAValueOrAnError) {
  const Result<int> good = 7;
  EXPECT_TRUE(good.ok() && good);
  EXPECT_EQ(*good, 7);
  const Result<int> bad = Error{ErrorCode::kIo, "disk"};
  EXPECT_FALSE(bad.ok() || bad);
  EXPECT_EQ(bad.error().code, ErrorCode::kIo);
  Result<std::unique_ptr<int>> only_movable = std::make_unique<int>(3);
  const std::unique_ptr<int> taken = std::move(only_movable).value();
  EXPECT_EQ(*taken, 3);
}

TEST(Result, AStatusIsGoodUnlessToldOtherwise) {
  EXPECT_TRUE(Status().ok());
  EXPECT_TRUE(ok_status().ok());
  EXPECT_FALSE(Status(Error{ErrorCode::kCorrupt, "x"}).ok());
}

TEST(Result, AnErrorNamesWhereItPassed) {
  const Error e = Error{ErrorCode::kCorrupt, "line 3"}.at("a.csv").at("reading");
  EXPECT_EQ(e.message, "reading: a.csv: line 3");
  EXPECT_EQ(e.code, ErrorCode::kCorrupt);
}

TEST(Result, CodesHaveStableWords) {
  const std::pair<ErrorCode, const char*> words[] = {{ErrorCode::kInvalidArgument, "invalid_argument"},
                                                     {ErrorCode::kNotFound, "not_found"},
                                                     {ErrorCode::kAlreadyExists, "already_exists"},
                                                     {ErrorCode::kCorrupt, "corrupt"},
                                                     {ErrorCode::kUnavailable, "unavailable"},
                                                     {ErrorCode::kExhausted, "exhausted"},
                                                     {ErrorCode::kIo, "io"},
                                                     {ErrorCode::kInternal, "internal"}};
  for (const auto& [code, word] : words) EXPECT_STREQ(to_string(code), word);
}

}  // namespace
}  // namespace driftd

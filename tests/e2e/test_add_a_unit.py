"""Adding a unit is what CONTRIBUTING.md says: one file, one line, one test, and nothing else.

Works on a copy of the sources, in which a check is added; only the library of the checks and the new
test are built.
"""
import os
import pathlib
import shutil
import subprocess

import pytest

SOURCE = pathlib.Path(__file__).resolve().parents[2]

CHECK = """\
// my_check: no value is 13.
#include "rules/make_check.h"
#include "rules/share_judgement.h"

namespace driftd::rules {
namespace {

class MyCheck final : public ShareCheck {
 public:
  MyCheck(const Params& params, const CheckContext& context)
      : ShareCheck(params, "unlucky", Measure::kValue), field_(static_cast<std::size_t>(context.field)) {}

  void on_rows(const Rows& rows, RowHits& hits) override {
    const Column& column = rows.batch.columns[field_];
    for (std::uint32_t r = rows.range.begin; r < rows.range.end; ++r) {
      if (column.cells[r] != Cell::kValid) {
        hits.skip(r);
      } else if (column.numbers[r] == 13) {
        hits.fail(r, 13);
      }
    }
  }

 private:
  std::size_t field_;
};

}  // namespace

void register_my_check(CheckRegistry& registry) {
  registry.add({.name = "my_check",
                .summary = "No value is 13.",
                .applies_to = "number, integer",
                .params = with_share_params({}),
                .source = "folklore",
                .example = "- {check: my_check, field: temperature}",
                .reasons = with_share_reasons({{"unlucky", "a value is 13"}}),
                .notes = "Nulls and NaN are skipped."},
               {.field_use = FieldUse::kRequired,
                .kinds = {FieldKind::kNumber, FieldKind::kInteger},
                .make = make_check<MyCheck>});
}

}  // namespace driftd::rules
"""

TEST = """\
#include "tests/rules/check_fixture.h"

namespace driftd::rules {
namespace {

TEST(MyCheck, IsListedAndFindsThirteen) {
  const auto names = checks().names();
  EXPECT_THAT(names, ::testing::Contains("my_check"));
  CheckFixture f;
  f.add(every_cell(12.0, 13.0));
  const auto check = f.make("my_check", {}, "x");
  EXPECT_THAT(rows_of(f.run(*check)), ::testing::ElementsAre(5));
  EXPECT_STREQ(f.judge(*check).reason, "unlucky");
}

}  // namespace
}  // namespace driftd::rules
"""

# Runs at the end of the copy's CMakeLists.txt, so that this one test can be built alone.
ONE_TEST = """\
find_package(GTest REQUIRED)
cmake_language(DEFER CALL add_executable my_check_test tests/rules/my_check_test.cc)
cmake_language(DEFER CALL target_link_libraries my_check_test PRIVATE driftd_rules GTest::gmock GTest::gtest_main)
"""


@pytest.fixture
def tree(tmp_path):
    """The sources with the new check in them."""
    copy = tmp_path / "driftd"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("build", ".git", ".cache", "e2e", "golden"))
    (copy / "rules/checks/my_check.cc").write_text(CHECK)
    (copy / "tests/rules/my_check_test.cc").write_text(TEST)
    with open(copy / "rules/checks.def", "a") as listed:
        listed.write("CHECK(my_check)\n")
    (tmp_path / "one_test.cmake").write_text(ONE_TEST)
    return copy


def run(tree, *command):
    # Paths relative to the copy, so that the compiler's cache serves it.
    env = os.environ | {"CCACHE_BASEDIR": str(tree), "CCACHE_NOHASHDIR": "1"}
    return subprocess.run(command, cwd=tree, env=env, capture_output=True, text=True, timeout=600)


# Flags and depth of the release build, so that the cache has what that one compiled.
BUILD = "build/one"


def configure(tree):
    return run(tree, "cmake", "-S", ".", "-B", BUILD, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
               f"-DCMAKE_PROJECT_driftd_INCLUDE={tree.parent}/one_test.cmake")


def test_one_file_one_line_one_test(tree):
    done = configure(tree)
    assert done.returncode == 0, done.stdout + done.stderr
    built = run(tree, "ninja", "-C", BUILD, "my_check_test")
    assert built.returncode == 0, built.stdout[-4000:]
    tested = run(tree, f"{BUILD}/my_check_test")
    assert tested.returncode == 0, tested.stdout


@pytest.mark.parametrize("file", ["tests/rules/my_check_test.cc", "rules/checks/my_check.cc"])
def test_configuring_stops_without(tree, file):
    (tree / file).unlink()
    done = configure(tree)
    assert done.returncode != 0
    # CMake breaks its messages into lines.
    assert f"rules/checks.def lists my_check, but {file} does not exist" in " ".join(done.stderr.split())


def test_configuring_stops_when_a_source_is_not_listed(tree):
    listed = tree / "rules/checks.def"
    listed.write_text(listed.read_text().replace("CHECK(my_check)\n", ""))
    done = configure(tree)
    assert done.returncode != 0
    assert "rules/checks/my_check.cc is no unit: rules/checks.def does not list it" in " ".join(done.stderr.split())


def test_contributing_says_so():
    said = (SOURCE / "CONTRIBUTING.md").read_text()
    for step in ("`rules/checks/my_check.cc`", "`CHECK(my_check)` in `rules/checks.def`", "`tests/rules/my_check_test.cc`"):
        assert step in said

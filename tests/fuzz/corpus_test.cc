// Every file of tests/fuzz/corpus/NAME and every seed through its target, whole, cut off and with bits turned over: what the
// fuzzer found stays found, and a change that breaks reading shows in builds without libFuzzer too.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "app/config/yaml.h"
#include "tests/fuzz/seeds.h"

// CMake names each target's LLVMFuzzerTestOneInput after its file.
#define FUZZ_TARGET(name) extern "C" int fuzz_##name(const std::uint8_t* data, std::size_t size);
#include "fuzz_targets.def"
#undef FUZZ_TARGET

namespace driftd::fuzz {
namespace {

using Target = int (*)(const std::uint8_t*, std::size_t);
const std::vector<std::pair<std::string, Target>> kTargets = {
#define FUZZ_TARGET(name) {#name, &fuzz_##name},
#include "fuzz_targets.def"
#include "source_dir.h"
#undef FUZZ_TARGET
};

constexpr std::size_t kVariants = 64;       // of a seed, of each sort; of a file where there are no seeds
constexpr std::size_t kFileVariants = 128;  // else of all files together: they are variants of seeds already

class EveryTarget : public ::testing::TestWithParam<std::pair<std::string, Target>> {};

TEST_P(EveryTarget, TakesItsCorpus) {
  const auto& [name, target] = GetParam();
  const auto run = [target = target](const std::string& bytes) {
    // A copy of exactly this size, so that a read past the end is seen.
    const std::vector<std::uint8_t> exact(bytes.begin(), bytes.end());
    EXPECT_EQ(target(exact.data(), exact.size()), 0);
  };
  static const auto made = seeds();
  std::vector<std::string> inputs;
  if (made.contains(name)) inputs = made.at(name);
  const std::size_t files_from = inputs.size();
  const std::string folder = std::string(DRIFTD_SOURCE_DIR) + "/tests/fuzz/corpus/" + name;
  if (std::filesystem::exists(folder)) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      const auto read = app::read_file(entry.path());
      ASSERT_TRUE(read.ok()) << entry.path();
      inputs.push_back(*read);
    }
  }
  EXPECT_FALSE(inputs.empty()) << "no seeds and no files in " << folder;
  const std::size_t files = std::max<std::size_t>(1, inputs.size() - files_from);
  const std::size_t of_a_file = files_from == 0 ? kVariants : std::clamp<std::size_t>(kFileVariants / files, 1, kVariants);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::string& input = inputs[i];
    run(input);
    const std::size_t step = std::max<std::size_t>(1, input.size() / (i < files_from ? kVariants : of_a_file));
    for (std::size_t at = 0; at < input.size(); at += step) {
      run(input.substr(0, at));
      std::string turned = input;
      turned[at] = static_cast<char>(turned[at] ^ (1U << (at % 8)));
      run(turned);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, EveryTarget, ::testing::ValuesIn(kTargets), [](const auto& target) { return target.param.first; });

}  // namespace
}  // namespace driftd::fuzz

// Writes the seeds into FOLDER/TARGET/seed_N; scripts/fuzz calls it.
#include <filesystem>
#include <fstream>
#include <iostream>

#include "tests/fuzz/seeds.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: write_seeds FOLDER\n";
    return 2;
  }
  for (const auto& [target, inputs] : driftd::fuzz::seeds()) {
    const std::filesystem::path folder = std::filesystem::path(argv[1]) / target;
    std::filesystem::create_directories(folder);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      std::ofstream(folder / ("seed_" + std::to_string(i)), std::ios::binary) << inputs[i];
    }
  }
  return 0;
}

#pragma once

#include <filesystem>

namespace davit::conformance {

// A folder that goes with its owner.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(std::filesystem::path const& parent = std::filesystem::temp_directory_path());
  TemporaryFolder(TemporaryFolder const&) = delete;
  TemporaryFolder& operator=(TemporaryFolder const&) = delete;
  ~TemporaryFolder();
  std::filesystem::path const& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace davit::conformance

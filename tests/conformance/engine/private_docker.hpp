// A Docker Engine of the tests' own: a dockerd with its own folders, socket and containerd namespace, which touches neither
// the machine's engine nor its packet filter. Started at first use, ended with the process. $DAVIT_TEST_DOCKER names an engine
// to use in its place (unix://…), which is then never killed.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "conformance/child_process.hpp"

namespace davit::conformance {

class PrivateDocker {
 public:
  // nullptr with the reason where there can be none.
  static PrivateDocker* get(std::string& why_not);
  ~PrivateDocker();

  std::string host() const { return host_; }  // "unix://…"
  std::filesystem::path const& folder() const { return folder_; }
  bool is_ours() const { return is_ours_; }

  std::string image() const { return "davit-test/busybox:1"; }
  std::string checked_image() const { return "davit-test/checked:1"; }
  std::string network() const { return "davit-test"; }

  bool start();
  void kill();
  void freeze(bool frozen);
  bool cli(std::string const& arguments) const;  // docker -H … <arguments>

 private:
  static std::unique_ptr<PrivateDocker> make(std::string& why_not);
  PrivateDocker() = default;
  static std::string bridge();
  static bool make_bridge();
  bool prepare();
  void unmount() const;

  std::string host_;
  std::filesystem::path folder_;
  bool is_ours_ = true;
  std::unique_ptr<ChildProcess> daemon_;
};

}  // namespace davit::conformance

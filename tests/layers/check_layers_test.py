#!/usr/bin/python3
"""scripts/check_layers against the real src/LAYERS: a clean tree passes, and each kind of violation, planted alone, is refused
with its file, line and reason."""
import os
import resource
import subprocess
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

CLEAN = {
    'base/ids.hpp': '#include <string>\n#include <fmt/core.h>\n',
    'model/spec.hpp': '#include "base/ids.hpp"\n',
    'codec/json.hpp': '#include "model/spec.hpp"\n',
    'codec/json.cpp': '#include "codec/json.hpp"\n\n#include <nlohmann/json.hpp>\n',
    'core/master/master.cpp': '#include <chrono>\n#include "core/service/plan.hpp"\n// says system_clock, std::mutex and "rand("\n'
                              'auto text = "std::time(nullptr)"; auto n = 1\'000; auto t = job.time(0);\n',
    'core/master/master_test.cpp': '#include <random>\n#include <gtest/gtest.h>\n#include "core/master/master.hpp"\nstd::mt19937 seeded(1);\n',
    'drivers/agent_driver.cpp': '#include "core/agent/agent.hpp"\n#include "ports/engine.hpp"\n',
    'runtime/loop.cpp': '#include <sys/eventfd.h>\n#include <boost/asio/post.hpp>\n',
    'cli/parse.cpp': '#include <CLI/CLI.hpp>\n',
}

# Path and text of the one planted file, the line and a part of the reason to expect.
VIOLATIONS = {
    'a layer above': ('model/a.hpp', '#include "base/ids.hpp"\n#include "codec/json.hpp"\n', 2, 'model may not include codec'),
    'adapters seeing each other': ('adapters/link_local/a.cpp', '#include "adapters/store_sqlite/store.hpp"\n', 1, 'may not include adapters/store_sqlite'),
    'the brain seeing a port': ('core/agent/a.hpp', '#include "ports/engine.hpp"\n', 1, 'core/agent may not include ports'),
    'one machine seeing the other': ('core/agent/a.hpp', '#include "core/master/master.hpp"\n', 1, 'core/agent may not include core/master'),
    'a folder in angle brackets': ('base/a.hpp', '#include <model/spec.hpp>\n', 1, 'base may not include model'),
    'an outside header': ('drivers/a.cpp', '#include <boost/asio/post.hpp>\n', 1, 'drivers may not include <boost/asio/post.hpp>'),
    'Beast outside http': ('api/a.cpp', '  #  include <boost/beast/http.hpp>\n', 1, 'api may not include <boost/beast/http.hpp>'),
    'an outside header in a header': ('codec/a.hpp', '#pragma once\n#include <nlohmann/json.hpp>\n', 2, 'only in *.cpp'),
    'gRPC outside rpc': ('adapters/store_etcd/a.cpp', '#include <grpcpp/channel.h>\n', 1, 'may not include <grpcpp/channel.h>'),
    'gRPC in a header': ('rpc/a.hpp', '#pragma once\n#include <grpcpp/channel.h>\n', 2, 'only in *.cpp'),
    'generated code in a header': ('adapters/store_etcd/a.hpp', '#include "proto/etcd/rpc.pb.h"\n', 1, 'only in *.cpp'),
    'CLI11 in a second file': ('cli/service.cpp', '#include <CLI/CLI.hpp>\n', 1, 'only in *parse.cpp'),
    'gtest outside tests': ('base/a.cpp', '#include <gtest/gtest.h>\n', 1, 'only in *_test.cpp'),
    'a relative include': ('http/a.cpp', '#include "../base/ids.hpp"\n', 1, 'no `..`'),
    'an include beside the file': ('base/a.cpp', '#include "ids.hpp"\n', 1, 'paths start at src/'),
    'a folder without a row': ('utils/a.hpp', '#pragma once\n', 1, 'folder utils has no row'),
    'unordered container': ('core/service/a.hpp', '\n#include <unordered_map>\n', 2, 'deterministic'),
    'random header': ('core/placement/a.cpp', '#include <random>\n', 1, 'deterministic'),
    'thread header': ('core/master/a.cpp', '#include <thread>\n', 1, 'deterministic'),
    'mutex header': ('core/agent/a.hpp', '#include <mutex>\n', 1, 'deterministic'),
    'unordered by way of another header': ('core/service/a.hpp', '/* two\nlines */ std::unordered_set<int> seen;\n', 2, 'no defined order'),
    'system clock': ('core/master/a.cpp', 'auto t = std::chrono::system_clock::now();\n', 1, 'reads a clock'),
    'steady clock': ('core/master/a.cpp', '\nusing C = std::chrono::steady_clock;\n', 2, 'reads a clock'),
    'time()': ('core/master/a.cpp', 'auto t = std::time(nullptr);\n', 1, 'reads a clock'),
    'rand()': ('core/placement/a.cpp', 'int i = rand() % 3;\n', 1, 'is random'),
    'a mutex': ('core/agent/a.cpp', 'static std::mutex lock;\n', 1, 'is for threads'),
    'log header': ('core/agent/a.cpp', '#include <spdlog/spdlog.h>\n', 1, 'core/agent may not include <spdlog/spdlog.h>'),
    'log call': ('core/agent/a.cpp', 'void f() { spdlog::info("x"); }\n', 1, 'logs'),
}

# A row appended to LAYERS, and a part of the reason to expect.
BAD_ROWS = {
    'base : model :': 'base has a row already',
    'upside : down :\ndown : base :': 'upside names down, which has no row above it',
    'itself : itself :': 'itself names itself, which has no row above it',
    'two cells : only': 'a row is',
}


class CheckLayers(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = folder.name
        with open(os.path.join(ROOT, 'src/LAYERS'), encoding='utf-8') as file:
            self.write('LAYERS', file.read())

    def write(self, path, text):
        path = os.path.join(self.root, 'src', path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'a', encoding='utf-8') as file:
            file.write(text)

    def check(self):
        done = subprocess.run([os.path.join(ROOT, 'scripts/check_layers'), self.root], text=True, capture_output=True, check=False)
        self.assertEqual(done.stderr, '')
        return done.returncode, done.stdout.splitlines()

    def test_accepts_a_clean_tree(self):
        for path, text in CLEAN.items():
            self.write(path, text)
        self.assertEqual(self.check(), (0, []))

    def test_refuses_each_violation(self):
        for name, (path, text, line, reason) in VIOLATIONS.items():
            with self.subTest(name):
                self.write(path, text)
                code, lines = self.check()
                os.remove(os.path.join(self.root, 'src', path))
                self.assertEqual((code, len(lines)), (1, 1), lines)
                self.assertTrue(lines[0].startswith(f'src/{path}:{line}: '), lines[0])
                self.assertIn(reason, lines[0])

    def test_refuses_bad_rows(self):
        for rows, reason in BAD_ROWS.items():
            with self.subTest(rows):
                self.setUp()
                self.write('LAYERS', rows + '\n')
                code, lines = self.check()
                self.assertEqual((code, len(lines)), (1, 1), lines)
                self.assertRegex(lines[0], f'^src/LAYERS:[0-9]+: .*{reason}')

    def test_takes_a_fifth_of_a_second_for_600_files(self):
        text = '#include <chrono>\n#include "core/service/plan.hpp"\n' + '  int some_statement = function(of, some, arguments);\n' * 150
        for i in range(600):
            self.write(f'core/master/file_{i}.cpp' if i % 10 == 0 else f'drivers/file_{i}.cpp', text)
        # Its own processor time, the best of three: the machine may be busy with other tests.
        self.assertLess(min(self.cpu_seconds_of_a_check() for _ in range(3)), 0.2)

    def cpu_seconds_of_a_check(self):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.assertEqual(self.check(), (0, []))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == '__main__':
    unittest.main()

// swift-tools-version: 6.1
import PackageDescription

/// A C library that the system's packages carry; `debian` is what a build without it asks for.
func system(_ name: String, pkgConfig: String, debian: String) -> Target {
    .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([debian])])
}

func stage(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: [.enableUpcomingFeature("ExistentialAny")])
}

func tests(of name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: "\(name)Tests",
        dependencies: [.byName(name: name), "TestSupport"] + dependencies,
        swiftSettings: [.enableUpcomingFeature("ExistentialAny")])
}

// In the order in which a push travels.
let package = Package(
    name: "slipway",
    products: [.executable(name: "slipway", targets: ["slipway"])],
    targets: [
        system("CYAML", pkgConfig: "yaml-0.1", debian: "libyaml-dev"),
        system("CSQLite", pkgConfig: "sqlite3", debian: "libsqlite3-dev"),
        system("CPostgreSQL", pkgConfig: "libpq", debian: "libpq-dev"),
        system("CGit2", pkgConfig: "libgit2", debian: "libgit2-dev"),
        system("CMicroHTTPD", pkgConfig: "libmicrohttpd", debian: "libmicrohttpd-dev"),
        system("CCrypto", pkgConfig: "libcrypto", debian: "libssl-dev"),
        system("CCurl", pkgConfig: "libcurl", debian: "libcurl4-openssl-dev"),
        .systemLibrary(name: "CLinux"),

        stage("Model"),
        stage("Platform", ["CCrypto", "CCurl", "CLinux"]),
        stage("Settings", ["Model", "Platform", "CYAML"]),
        stage("Queue", ["Model", "Platform", "CSQLite", "CPostgreSQL"]),
        stage("Intake", ["Model", "Platform", "Settings", "Queue"]),
        stage("Checkout", ["Model", "Platform", "CGit2"]),
        stage("Engine", ["Model", "Platform"]),
        stage("Registry", ["Model", "Platform"]),
        stage("Worker", ["Model", "Platform", "Settings", "Queue", "Checkout", "Engine", "Registry"]),
        stage("HTTP", ["Platform", "CMicroHTTPD"]),
        stage("Status", ["Model", "Platform", "Settings", "Queue", "Intake", "HTTP"]),
        .executableTarget(
            name: "slipway",
            dependencies: [
                "Model", "Platform", "Settings", "Intake", "Queue", "Checkout", "Engine", "Registry", "Worker", "HTTP",
                "Status",
            ],
            swiftSettings: [.enableUpcomingFeature("ExistentialAny")]),

        .target(name: "TestSupport", dependencies: ["Model", "Platform"], path: "Tests/TestSupport"),
        .executableTarget(
            name: "Benchmarks", dependencies: ["TestSupport", "Model", "Platform", "Queue", "CSQLite"],
            path: "Tests/Benchmarks",
            exclude: ["run.sh", "intake.lua"], swiftSettings: [.enableUpcomingFeature("ExistentialAny")]),
        .executableTarget(
            name: "Fuzz",
            dependencies: ["TestSupport", "Model", "Platform", "Settings", "Queue", "Intake", "HTTP", "Status"],
            path: "Tests/Fuzz", exclude: ["run.sh"], swiftSettings: [.enableUpcomingFeature("ExistentialAny")]),
        .executableTarget(
            name: "Faults", dependencies: ["TestSupport", "Model", "Platform"], path: "Tests/Faults",
            exclude: ["run.sh"], swiftSettings: [.enableUpcomingFeature("ExistentialAny")]),
        tests(of: "Model"),
        tests(of: "Platform"),
        tests(of: "Settings", ["Model"]),
        tests(of: "Queue", ["Model", "Platform"]),
        tests(of: "Intake", ["Model", "Platform", "Settings", "Queue"]),
        tests(of: "Checkout", ["Model", "Platform"]),
        tests(of: "Engine", ["Model", "Platform"]),
        tests(of: "Registry", ["Model", "Platform"]),
        tests(of: "Worker", ["Model", "Platform", "Settings", "Queue", "Checkout", "Engine", "Registry"]),
        tests(of: "HTTP", ["Platform"]),
        tests(of: "Status", ["Model", "HTTP", "Queue", "Settings"]),
        .testTarget(
            name: "EndToEndTests",
            dependencies: ["TestSupport", "Model", "Platform", "Engine", "Registry", "Checkout", "slipway"],
            swiftSettings: [.enableUpcomingFeature("ExistentialAny")]),
    ],
    swiftLanguageModes: [.v6]
)

//! Mail loops, responders, lists and bounces: the number of letters stays within the caps.

use super::*;

#[tokio::test]
async fn ten_thousand_turns_of_a_loop_cause_three_answers_a_day_and_one_alert() {
    let folder = tempfile::tempdir().unwrap();
    let (house, mut outlets) = house(folder.path(), 0, "").await;
    let mut answers = Vec::new();
    for turn in 0..10_000 {
        let mut answer = letter(&format!("turn{turn}"), "vacation@bureau.example", house.now());
        (answer.caps, answer.alternates) = (Some(house.config.answers), true);
        answers.push(answer);
    }
    queue(&house, &answers).await;
    for _ in 0..40 {
        round(&house, &mut outlets).await;
        alert::watch(&house).await.unwrap();
        later(&house, 15);
    }
    let letters = house.store.letter_list(true, 20_000).await.unwrap();
    let count = |kind: &str, state: &str| letters.iter().filter(|letter| letter.kind == kind && letter.state == state).count();
    assert_eq!((count("ack", "sent"), count("ack", "held")), (3, 9_997));
    assert_eq!(count("alert", "sent"), 1);
}

#[tokio::test]
async fn many_mails_with_new_topics_from_one_bureau_are_all_answered_in_time_and_never_too_fast() {
    let folder = tempfile::tempdir().unwrap();
    let (house, mut outlets) = house(folder.path(), 0, "").await;
    let answers: Vec<Letter> = (0..12)
        .map(|no| Letter { caps: Some(house.config.answers), ..letter(&format!("m{no}"), "gxj@bureau.example", house.now()) })
        .collect();
    queue(&house, &answers).await;
    let mut hours = Vec::new();
    for _ in 0..30 {
        hours.push(round(&house, &mut outlets).await.sent);
        later(&house, 61);
    }
    assert!(hours.iter().all(|sent| *sent <= 3), "{hours:?}");
    assert_eq!(hours.iter().sum::<usize>(), 12);
}

fn mail(from: &str, extra: &str, body: &str) -> Vec<u8> {
    format!(
        "From: {from}\r\nTo: gxt@163.com\r\nSubject: =?UTF-8?B?5ZKo6K+i?=\r\nMessage-ID: <{}@x.cn>\r\n{extra}\r\n{body}\r\n",
        body.len()
    )
    .into_bytes()
}

/// Takes a mail in and examines it; returns whether a letter was written.
async fn arrives(house: &House, raw: Vec<u8>) -> usize {
    let before = house.store.letter_list(true, 20_000).await.unwrap().len();
    let sighting = Sighting {
        mailbox: "import".to_owned(),
        folder: String::new(),
        uidvalidity: 0,
        uid: None,
        locator: format!("{:x}", fastrand::u128(..)),
        arrived_at: None,
        seen_at: house.now(),
    };
    let mut intake = accept::Intake::new(house);
    intake.take(sighting, crate::edge::mailbox::body::Body::Bytes(raw)).await.unwrap();
    intake.finish().await.unwrap();
    for waiting in house.store.claim_waiting(0, house.now(), 100).await.unwrap() {
        examine::examine(house, &waiting).await.unwrap();
    }
    house.store.letter_list(true, 20_000).await.unwrap().len() - before
}

#[tokio::test]
async fn two_installations_pointed_at_each_other_fall_silent_at_once() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (server, port) = Server::start(Vec::new()).await;
    let (first, mut outlets) = house(one.path(), port, "").await;
    let (second, _) = house(other.path(), 0, "").await;
    assert_eq!(arrives(&first, mail("gxj@bureau.example", "", "请问如何申报")).await, 1);
    round(&first, &mut outlets).await;
    let receipt = server.texts.lock().unwrap()[0].clone();
    for header in ["Auto-Submitted: auto-replied", "X-Auto-Response-Suppress: All", "X-Annexd: 1", "In-Reply-To: <"] {
        assert!(receipt.contains(header), "{header}");
    }
    assert_eq!(arrives(&second, receipt.clone().into_bytes()).await, 0);
    // And where a gateway has taken our marks away, our own Message-ID and address still tell.
    let stripped: String =
        receipt.lines().filter(|line| !line.starts_with("X-A") && !line.starts_with("Auto-")).map(|line| format!("{line}\r\n")).collect();
    assert_eq!(arrives(&second, stripped.into_bytes()).await, 0);
}

#[tokio::test]
async fn responders_lists_and_a_storm_of_bounces_get_no_answer_and_the_bounced_letter_fails_once() {
    let folder = tempfile::tempdir().unwrap();
    let (server, port) = Server::start(Vec::new()).await;
    let (house, mut outlets) = house(folder.path(), port, "").await;
    for (index, header) in [
        "Auto-Submitted: auto-replied (vacation)\r\n",
        "X-QQ-AUTO-REPLY: true\r\n",
        "List-Id: <x>\r\n",
        "Precedence: bulk\r\n",
        "X-Auto-Response-Suppress: All\r\n",
    ]
    .iter()
    .enumerate()
    {
        assert_eq!(arrives(&house, mail("a@b.example", header, &"。".repeat(index + 1))).await, 0, "{header}");
    }
    assert_eq!(arrives(&house, mail("gxj@bureau.example", "", "请问")).await, 1);
    round(&house, &mut outlets).await;
    let sent = server.texts.lock().unwrap()[0].clone();
    let id = sent.lines().find_map(|line| line.strip_prefix("Message-ID: ")).unwrap().to_owned();
    let storm = if std::env::var_os("ANNEXD_TEST_LONG").is_some() { 10_000 } else { 300 };
    for turn in 0..storm {
        let report = format!(
            "From: Postmaster@163.com\r\nTo: gxt@163.com\r\nSubject: bounce {turn}\r\nMessage-ID: <b{turn}@163.com>\r\nX-Mailer: Coremail MTA server\r\nX-CM-Original-Message-ID: {id}\r\n\r\n550 User not found {turn}\r\n"
        );
        assert_eq!(arrives(&house, report.into_bytes()).await, 0);
    }
    assert_eq!(state(&house, 1).await, "failed");
    alert::watch(&house).await.unwrap();
    assert_eq!(house.store.letter_list(true, 1000).await.unwrap().len(), 2, "the answer that came back, and one alert about the storm");
    let facts = house.store.digest_facts(at("2024-08-14T16:00:00Z"), house.now(), house.now(), &house.knowledge).await.unwrap();
    assert_eq!(facts.undeliverable.len(), 1);
    assert_eq!(arrives(&house, mail("gxj@bureau.example", "", "再问一次")).await, 1);
    assert_eq!(state(&house, 3).await, "held");
}

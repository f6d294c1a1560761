use super::*;

#[test]
fn the_member_that_is_wrong_is_named_in_openai_s_way() {
    let error = DialectError::Malformed("#/messages/0/content: expected type: JSONArray, found: Integer".to_owned());
    let refused = Refused::from(error);
    assert_eq!(refused.param.as_deref(), Some("messages[0].content"));
    assert_eq!(refused.fault.message, "messages[0].content: expected type: JSONArray, found: Integer");
    let whole = Refused::from(DialectError::Malformed("#: required key [messages] not found".to_owned()));
    assert_eq!((whole.param, whole.fault.message.as_str()), (None, "required key [messages] not found"));
    assert_eq!(Refused::from(DialectError::NotJson).fault.message, "The body is not a JSON object.");
}

#[test]
fn the_status_says_which_exception_a_client_raises() {
    let of = |kind| class(&Fault::new(kind, "x")).0;
    assert_eq!(of(Kind::UnrecognizedClient), 401);
    assert_eq!(of(Kind::AccessDenied), 403);
    assert_eq!(of(Kind::Throttling), 429);
    assert_eq!(of(Kind::Validation), 400);
    assert_eq!(
        class(&Fault::of(&ModelsError::InvalidIdentifier)),
        (404, "invalid_request_error", Some("model_not_found"))
    );
}

"""The tour of README.md with a client that openapi-python-client makes from openapi/openapi.json."""

import os
import random

from myspares_client import AuthenticatedClient, Client
from myspares_client.api.accounts import read_account
from myspares_client.api.auth import login, logout, refresh, register
from myspares_client.api.client import (
    add_to_cart,
    read_address,
    read_cart,
    remove_from_cart,
    set_cart_item,
    update_address,
)
from myspares_client.api.utils import list_brands, list_products, read_brand, search_catalogue
from myspares_client.models import (
    AddressUpdate,
    AddToCart,
    ApiError,
    Login,
    Register,
    Registered,
    SetCartItem,
    SignedIn,
)
from myspares_client.types import UNSET

BASE = os.environ["BASE_URL"]
PASSWORD = "Br4ke-pads!"


def good(response):
    """Returns what a call answered, and ends the tour if it was refused."""
    assert response.status_code < 300, (response.status_code, response.content)
    assert response.parsed is not None, "the client doesn't know this answer"
    return response.parsed


def refused(response, status):
    """Returns the error of an answer as the client's own type."""
    assert response.status_code == status, (response.status_code, response.content)
    assert isinstance(response.parsed, ApiError), f"the client has no type for this {status}"
    return response.parsed


def sign_up(client):
    number = str(random.SystemRandom().randint(9_000_000_000, 9_999_999_999))
    account = Register(username=f"Asha {number}", password=PASSWORD, phone_number=number)
    assert isinstance(good(register.sync_detailed(client=client, body=account)), Registered)
    assert refused(register.sync_detailed(client=client, body=account), 409).code == "phone_number_taken"

    faulty = Register(username="<>", password=PASSWORD, phone_number="12")
    fields = refused(register.sync_detailed(client=client, body=faulty), 400).fields
    assert sorted(fields.to_dict()) == ["phone_number", "username"], fields

    wrong = Login(phone_number=number, password="Wr0ng-pads!")
    assert refused(login.sync_detailed(client=client, body=wrong), 401).error == "invalid credentials"
    signed_in = good(login.sync_detailed(client=client, body=Login(phone_number=number, password=PASSWORD)))
    assert isinstance(signed_in, SignedIn)
    return signed_in


def all_brands(client):
    codes, cursor = [], UNSET
    while cursor is not None:
        assert len(codes) < 100, "the pages have no end"
        page = good(list_brands.sync_detailed(client=client, limit=3, cursor=cursor))
        codes += [brand.brand_code for brand in page.brands]
        cursor = page.next_cursor
    return codes


def browse(client):
    codes = all_brands(client)
    assert len(set(codes)) == len(codes) > 3 and "TATA" in codes, codes
    page = good(list_products.sync_detailed("TATA", "NEXON", "BRK", client=client, limit=2))
    assert len(page.products) == 2
    found = good(search_catalogue.sync_detailed(client=client, q="pad brake", brand="TATA", in_stock=True, limit=2))
    assert all(product.stock > 0 for product in found.results)
    assert refused(read_brand.sync_detailed("NOWHERE", client=client), 404).code == "brand_not_found"
    return page.products[0]


def shop(client, user_id, product):
    def quantity(response):
        return [item.quantity for item in good(response).cart.items]

    places = {"user_id": user_id, "product_id": product.field_id}
    assert quantity(add_to_cart.sync_detailed(**places, client=client, body=AddToCart(quantity=2))) == [2]
    assert quantity(remove_from_cart.sync_detailed(**places, client=client)) == [1]
    cart = good(set_cart_item.sync_detailed(**places, client=client, body=SetCartItem(quantity=3))).cart
    assert cart.subtotal == cart.items[0].unit_price * 3
    too_much = set_cart_item.sync_detailed(**places, client=client, body=SetCartItem(quantity=1_000))
    assert "quantity" in refused(too_much, 400).fields.to_dict()
    assert quantity(read_cart.sync_detailed(user_id, client=client)) == [3]

    body = AddressUpdate(name="Asha Rao", address_line1="12 MG Road", city="Pune", pincode="411001")
    assert good(update_address.sync_detailed(user_id, client=client, body=body)).address.city == "Pune"
    assert good(read_address.sync_detailed(user_id, client=client)).address.pincode == "411001"


def leave(client, user_id):
    """Refreshes and signs out. The refresh cookie is in the jar of the client."""
    refreshed = good(refresh.sync_detailed(client=client))
    client.token = refreshed.access
    client.get_httpx_client().headers["Authorization"] = f"Bearer {refreshed.access}"
    good(logout.sync_detailed(client=client))
    assert refused(read_cart.sync_detailed(user_id, client=client), 401).code == "invalid_access_token"


def main():
    visitor = Client(base_url=BASE, raise_on_unexpected_status=True)
    with visitor:
        signed_in = sign_up(visitor)
        product = browse(visitor)
        cookies = dict(visitor.get_httpx_client().cookies)
    customer = AuthenticatedClient(
        base_url=BASE, token=signed_in.access, cookies=cookies, raise_on_unexpected_status=True
    )
    with customer:
        me = good(read_account.sync_detailed(client=customer))
        assert me.field_id == signed_in.user.field_id and me.email is None
        shop(customer, me.field_id, product)
        leave(customer, me.field_id)
    print("python: the tour went well")


main()
